// Search needs a Worker, and a browser starts none for pages that are opened as files.  This one
// lives in a hidden frame.  Its name is what the offline plugin looks for before it asks another
// site for one.
"use strict";

class FrameWorker extends EventTarget {
  constructor(url) {
    super();
    const frame = document.createElement("iframe");
    frame.hidden = true;
    document.body.appendChild(frame);
    this.inside = frame.contentWindow;
    window.addEventListener("message", (event) => {
      if (event.source === this.inside) {
        this.dispatchEvent(new MessageEvent("message", { data: event.data }));
        this.onmessage?.(event);
      }
    });
    const page = this.inside.document;
    this.inside.importScripts = (...urls) =>
      urls.reduce((before, each) => before.then(() => load(page, each)), Promise.resolve());
    this.ready = load(page, url, (script) => {
      // What the worker posts goes out of the frame; what it listens to comes in by dispatch.
      const outside = page.createElement("script");
      outside.textContent = "postMessage = (data) => parent.dispatchEvent(" +
        "new MessageEvent('message', {data, source: window}))";
      page.body.append(outside, script);
    });
  }

  postMessage(data) {
    this.ready.then(() => this.inside.dispatchEvent(new MessageEvent("message", { data })));
  }

  terminate() {}
}

function load(page, url, place = (script) => page.body.append(script)) {
  return new Promise((resolve, reject) => {
    const script = page.createElement("script");
    script.src = new URL(url, location.href).href;
    script.onload = resolve;
    script.onerror = reject;
    place(script);
  });
}

if (location.protocol === "file:") {
  window.Worker = FrameWorker;
}
