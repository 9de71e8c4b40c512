"""Frames that only a compressor makes: Huffman codes, sequences, tables used again.

Made once, with zstd 1.5.7: a compressor may do better with every release, a frame stays one.
"""

from __future__ import annotations

from base64 import b64decode

WORDS = "disk image volume server port router subnet".split()


def text(salt: int, size: int) -> bytes:
    """``size`` bytes that compress well, but not to nothing."""
    lines = (f"{n * n * salt % 31} {WORDS[n * salt % 7]}\n" for n in range(size))
    return "".join(lines).encode()[:size]


FAST = b64decode(
    """
KLUv/WQA/zUOANKOIxmAJ00H37ISNn58AegpIyq30tp9pHBijCsWJGJ5l7F3Wd9JxPI2ZezNJxHLu4y9eScRy7vOxt7k
mxLdNN7mzma9y9q8IRHL831ns95lbe6mRDfNeL667mxW3qisza2pTYludnIkgwCDUYwU6TAQRTGSoyAOypkU6VAkoxxJ
BUMBcShF0gBAgVAmBAZBoJiA2qiBfd7/O/BixnQeEvCBgXGckaT9//8MFvi8k5Eb67Dat8hlcxg0S2pi/OTDgD5MFAX+
+yd8705MCW/2SBLYcXZWDeKRi+jCOmuVy+ZwNCu6pluzJPyDosj9PiDCzd01MHleJHbRAuJQrwbpkRPkwSpLuWwOPpoH
18T/3IcBujAUHfb3QxE2764Nk7MrsbsWLHihGmQjd01YzEQumQOC5nI1gZ/hgwFd2EB0/DuUwrnvRM4yImIpLQQ4yPTX
7q9VoH9XHuRHc51oDl+T70qS6hTuNZBNxXdSTnXBawHGsaQf7YIEdgDYd3C5NvfdB1UT9mM+BIB1v3IxuGz571BOdIEL
bhyr9NeuuiXwd09eZ3/KPu9Jn/rn+roBZAIcdJQK9QMqM4qAA5BDBNhiFERe4gAAVgHijLvj
"""
)
"""``text(1, 65536)`` at level 1."""

SMALL = b64decode(
    """
KLUv/WQA/7ULAPJNIhWQOwdA2ff3Z1u523lzEzLIofqXgxJ3c+Wvyj2Grtl9vZsrf1XuMXTN7uubK99TPkPX7L6+ufI9
5TN0ze7r3Vz5nvJZHrrMvTdx5a/Kyr/DhWX2e7+buND5nrLy/fJwYaKlNU6ypBot7Vkak5hRG4CDSEZNQwKHSTdqlkRJ
R+1wjORJhwqGEFIDgI6ogbi+/3fAJsbIPBJQ8bhMwS2e9f7//waH+LzTkn4Y+cp+1YQXHLZdAU6lYZAgh/v13T+ENJoa
wy0pygN8VnAV4b0ZLk6JU0kYRJBjvx7uA0kaTY2jllSXR/u8/CoW7w87w4U0nsIr5OxesT1+pQHWnFgSJf/q43iVEw8N
/MUFHV/gF8ite83s/1dp+pp9W1IWMr64v2qDFxuS603xjAefTf4V6+Uo3LqQW4OVXBMiP/sKeywwChAecqCfvEwE79W+
qccBcH1u7TC6KFnW7Iut9bl73EAWbs7I4SALuP6dCAS52sJ2YJqrU0g5OA==
"""
)
"""``text(2, 65536)`` at level 19."""

BLOCKS = b64decode(
    """
KLUv/UQQ4C2UDQASjyMZgCdNB9+yEjZ+fAHoKSMqG+y2JtOnK4+oDmaW94XKZ2l6vFBpP1vzaHrOd6HSvtOMbM2PpudM
3oVYPs0Qr/nR9JzJ+wuxnGaIrfnR9Jx5P+sqotG+nWaILf40PZ9NeT/r6uQoiIOCSNIAQIFQSlKkw0AUxUhSwVBAHIpN
jmQQYDDKJEU6FMkoJQQGQaCYgMyocXGv/58BIOOGiAcSMLKwNltJlPb//wwx+J3NH4wDALMRaAi1SwGAjEARMNsKQ0G8
BTuBFYR0AMsJ6ACxCCbSR5H5hyVQrPW+6RAgo2BpgAYkUBEqtgWgDIFBwNfCkBCvYDlXSAFYqoAAot0CmGn5j3kJsoIL
qBEUN+CIBE6EyqsA6gx71hSFYZkRASaQBkJPA/wSQA0w9G3gygFkEWQThUFkBXhXhHcWYjttEKb1CeCHAA5YGZw4QS0v
cALCB/gQ7DnU1LfE+uBQQBHk6GnEHnQIEKFZBJQEGNSChU7BBxR9gCJBUQhBzDsI4h7chCofsRZte0IBnfky9AGWYMjZ
uT4BUFAlwCIU4Etsssel4YgHlkl4qnAkdIUHA+ZUAUwAABA0IAEA+/cBFt0MACNPHc/ye9a1zSyPpscLlfbzmkfTc77r
8o1sfTQ9Z/IuVNrTDLE1P5qeM3mzCrGcZoit+dH0nHk/6yqi0b6dZogt/jQ9n015P+vqiKRIhyIZpSQEBkGgGMlREAfF
JmkAoEAokxTpMBBFKUkFQwFxKIYcySDAYJSSIoDSqHF53v/PIOOEqgcSMNKoPltJMuz/fwf7/r7qgPg/KwNsQMAq1MsF
kIPgRcBYE48jjoIJwOqEmAAsCSCACHpVlArgirqA5QNB5Y/RAUsSAh9CfV0AcSC4BPwahcFBAFYL4QMmFAgE4loC1EXH
P6HuNocAZCygBoQEBKpQ4bkAkYAiyAgDYVSUllACAwh2ArAUgACjgJOBt6QTPIA2AVhBlwFmmAnwRAG+DeMhhENAcqc4
WJc9ACmBdQCvc8oQBCCDgDWgIsYKEztpRPAjJU7csosSGDMsd4wLsgrsQJ7mghNoFYAvaA4wEE/ZnUhJj2ATK3HUOhMS
+NQkAOBQCWpoigAEFBVwCIAEZIKIgG3MNQ5EBiGOBGHUIwRTD+dfEF6nClGs1Vs=
"""
)
"""``text(3, 12000)`` at level 3 in a window of 4 KiB: three blocks, and a window descriptor."""
