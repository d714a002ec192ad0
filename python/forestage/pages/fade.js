"use strict";

/** A gain that goes along straight lines; a line that begins within an earlier one starts where that one is. */
class Fade {
  constructor(context, gain, seconds) {
    this.node = new GainNode(context, { gain });
    this.node.gain.setValueAtTime(gain, context.currentTime);
    this.seconds = seconds;
    this.line = { from: gain, to: gain, start: 0 };
  }

  at(time) {
    const { from, to, start } = this.line;
    return from + (to - from) * Math.min(1, Math.max(0, (time - start) / this.seconds));
  }

  to(gain, when) {
    const from = this.at(when);
    this.node.gain.cancelScheduledValues(when);
    this.node.gain.linearRampToValueAtTime(from, when); // what is left of the earlier line
    this.node.gain.linearRampToValueAtTime(gain, when + this.seconds);
    this.line = { from, to: gain, start: when };
  }
}
