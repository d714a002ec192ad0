"use strict";

const FADE_S = 0.02;
const LEAD_S = 0.02; // from now to what is scheduled, because the audio thread is ahead of currentTime
const sounds = {}; // FLAC in base64 by name: filled by the scripts in sounds/, as a page on a disk may not fetch

/** Versions of one piece of music that all run from the same frame; the gains of what is heard add up to 1. */
class Versions {
  constructor(context, buffers) {
    this.fades = buffers.map(() => new Fade(context, 0, FADE_S));
    this.sources = buffers.map((buffer, index) => {
      const source = new AudioBufferSourceNode(context, { buffer });
      source.connect(this.fades[index].node).connect(context.destination);
      return source;
    });
  }

  start(offset, when) {
    for (const source of this.sources) source.start(when, offset);
  }

  hear(index, when) {
    this.fades.forEach((fade, each) => fade.to(each === index ? 1 : 0, when));
  }

  stop(when) {
    this.hear(-1, when);
    for (const source of this.sources) source.stop(when + FADE_S);
  }
}

/** Decode a sound that lies in a script beside the page. */
async function load(context, name) {
  const script = document.createElement("script");
  script.src = `sounds/${name}.js`;
  await new Promise((resolve, reject) => {
    script.onload = resolve;
    script.onerror = () => reject(new Error(`${script.src} is missing`));
    document.head.append(script);
  });
  const bytes = Uint8Array.from(atob(sounds[name]), letter => letter.charCodeAt(0));
  script.remove();
  delete sounds[name];
  return context.decodeAudioData(bytes.buffer);
}

/** One card of the page: its buttons, its position, and what it plays. */
class Player {
  static context = null;
  static playing = null;
  static touched = null;

  constructor(section) {
    const all = selector => [...section.querySelectorAll(selector)];
    this.buttons = all("[data-switch] button");
    this.versions = all("[data-version]");
    this.playButton = section.querySelector("[data-play]");
    this.slider = section.querySelector("[type=range]");
    this.clock = section.querySelector("output");
    this.current = this.buttons.findIndex(button => button.getAttribute("aria-pressed") === "true");
    this.position = 0;
    this.duration = Number(this.slider.max);
    this.buttons.forEach((button, index) => button.addEventListener("click", () => this.hear(index)));
    this.playButton.addEventListener("click", () => this.toggle());
    this.slider.addEventListener("input", () => this.seek(Number(this.slider.value)));
    section.addEventListener("focusin", () => { Player.touched = this; });
    section.querySelector("[data-console]").hidden = false;
    for (const audio of all("audio")) audio.remove(); // these are for browsers without scripts
    this.show();
  }

  get isPlaying() { return Player.playing === this; }

  hear(index) {
    if (index >= this.buttons.length) return;
    Player.touched = this;
    this.current = index;
    this.running?.hear(index, Player.context.currentTime + LEAD_S);
    this.show();
  }

  toggle() { this.isPlaying ? this.pause() : this.play(); }

  async play() {
    Player.playing?.pause();
    Player.touched = Player.playing = this;
    this.show();
    try {
      Player.context ??= new AudioContext({ sampleRate: Number(document.body.dataset.sampleRate) });
      await Player.context.resume();
      if (Player.loaded?.owner !== this) { // decoded music is large: only one player holds it
        Player.loaded = { owner: this };
        const names = this.versions.map(version => version.dataset.sound);
        Player.loaded.buffers = Promise.all(names.map(name => load(Player.context, name)));
      }
      const buffers = await Player.loaded.buffers;
      if (this.isPlaying && !this.running) this.run(buffers);
    } catch (error) {
      Player.playing = Player.loaded = null;
      this.clock.textContent = error.message;
    }
  }

  run(buffers) {
    const when = Player.context.currentTime + LEAD_S;
    this.running = new Versions(Player.context, buffers);
    this.running.start(this.position, when);
    this.running.hear(this.current, when);
    this.began = when - this.position;
    const tick = () => {
      if (!this.running) return;
      this.position = Math.max(0, Player.context.currentTime - this.began);
      if (this.position >= this.duration) {
        this.pause();
        this.position = 0;
      }
      this.show();
      requestAnimationFrame(tick);
    };
    tick();
  }

  pause() {
    this.running?.stop(Player.context.currentTime + LEAD_S);
    this.running = null;
    if (this.isPlaying) Player.playing = null;
    this.show();
  }

  seek(position) {
    const wasPlaying = this.isPlaying;
    this.pause();
    this.position = position;
    this.show();
    if (wasPlaying) this.play();
  }

  show() {
    this.buttons.forEach((button, index) => button.setAttribute("aria-pressed", index === this.current));
    this.versions.forEach((version, index) => { version.hidden = index !== this.current; });
    this.playButton.textContent = this.isPlaying ? "Pause" : "Play";
    this.slider.value = this.position;
    const seconds = Math.floor(this.position);
    const text = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    this.clock.textContent = this.isPlaying && !this.running ? "Loading" : text;
    this.slider.setAttribute("aria-valuetext", text);
  }
}

const players = [...document.querySelectorAll("[data-player]")].map(section => new Player(section));

document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const player = Player.touched ?? players[0];
  if (/^[1-9]$/.test(event.key)) player.hear(Number(event.key) - 1);
  if (event.key === " " && !event.target.closest("button, input, summary, a")) {
    event.preventDefault();
    player.toggle();
  }
});
