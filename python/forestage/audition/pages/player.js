"use strict";

const FADE_S = 0.01;
const LEAD_S = 0.01; // from a key to the begin of its cross-fade: audio threads are ahead of currentTime

/** Versions of one song as channels of one sound: left and right of the first, of the second, and so on. */
function joined(buffers) {
  const { length, sampleRate } = buffers[0];
  const whole = new AudioBuffer({ length, sampleRate, numberOfChannels: 2 * buffers.length });
  buffers.forEach((buffer, index) => {
    for (const side of [0, 1]) whole.copyToChannel(buffer.getChannelData(side), 2 * index + side);
  });
  return whole;
}

/**
 * Plays one of several versions: as they are one sound, they run from the same frame, whatever is switched, looped or
 * late. The gains of what is heard add up to 1.
 */
class Versions {
  constructor(context, sound) {
    this.context = context;
    this.sound = sound;
    this.count = sound.numberOfChannels / 2;
    this.duration = sound.duration;
    this.current = 0;
  }

  /** Start at a place of the song, in seconds; loops between two others. */
  start(offset, [from, to], when) {
    const { context } = this;
    this.source = new AudioBufferSourceNode(context, { buffer: this.sound, loop: true, loopStart: from, loopEnd: to });
    const splitter = new ChannelSplitterNode(context, { numberOfOutputs: 2 * this.count });
    this.source.connect(splitter);
    this.whole = new Fade(context, 0, FADE_S);
    this.whole.node.connect(context.destination);
    this.fades = [];
    for (let index = 0; index < this.count; index++) {
      const stereo = new ChannelMergerNode(context, { numberOfInputs: 2 });
      for (const side of [0, 1]) splitter.connect(stereo, 2 * index + side, side);
      const fade = new Fade(context, index === this.current ? 1 : 0, FADE_S);
      stereo.connect(fade.node).connect(this.whole.node);
      this.fades.push(fade);
    }
    this.source.start(when, offset);
    this.whole.to(1, when);
    this.began = { when, offset, loop: [from, to] };
  }

  hear(index, when) {
    this.current = index;
    this.fades?.forEach((fade, each) => fade.to(each === index ? 1 : 0, when));
  }

  stop(when) {
    if (!this.source) return;
    this.whole.to(0, when);
    this.source.stop(when + FADE_S);
    this.source = this.fades = null;
  }

  /** Where in the song the sound is, in seconds. */
  position(now) {
    const { when, offset, loop: [from, to] } = this.began;
    const at = offset + Math.max(0, now - when);
    return at < to ? at : from + (at - from) % (to - from);
  }
}

/** What a listener hears when versions are switched at some times: for tests, without a sound card. */
async function playedOffline(sound, seconds, switches, { offset = 0, loop } = {}) {
  const { sampleRate } = sound;
  const context = new OfflineAudioContext(2, Math.round(seconds * sampleRate), sampleRate);
  const versions = new Versions(context, sound);
  versions.current = switches[0][1];
  versions.start(offset, loop ?? [0, versions.duration], 0);
  for (const [when, index] of switches.slice(1)) versions.hear(index, when);
  return context.startRendering();
}
