"use strict";

// Browsers start no worker for a page on a disk; there, the script of the search runs in a hidden frame.
if (location.protocol === "file:") {
  window.Worker = class {
    constructor(url) {
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      this.frame.srcdoc = `<script src="${url}"></script>`;
      this.inside = new Promise(resolve => {
        this.frame.onload = () => resolve(this.frame.contentWindow);
      });
      this.inside.then(inside => { inside.postMessage = data => this.onmessage?.({ data }); });
      document.body.append(this.frame);
    }

    postMessage(data) {
      this.inside.then(inside => inside.onmessage({ data })).catch(error => this.onerror?.(error));
    }

    terminate() { this.frame.remove(); }
  };
}
