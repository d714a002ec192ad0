"use strict";

const isStatic = typeof STATIC !== "undefined";
const sounds = {}; // FLAC in base64 by name: filled by the scripts of a page without a server, which may not fetch
const $ = id => document.getElementById(id);
const RETRY_MS = 1500;

const TASKS = {
  preference: "In each trial there are two versions, X and Y, drawn anew each time. Switch between them as often as you like, and say which one you prefer.",
  abx: "In each trial there are A and B, and X, which is one of the two. Switch between them as often as you like, and say which one X is.",
  mushra: "In each trial rate every version against the reference, from 0 (bad) to 100 (no difference). One of them is the reference itself.",
};
const GRADES = ["bad", "poor", "fair", "good", "excellent"];

/** What this browser keeps of a session: who listens, what is not yet sent, sliders of the trial, a loop of the song. */
const memory = {
  key: "",
  read() {
    try { return JSON.parse(localStorage.getItem(this.key)) ?? {}; } catch { return {}; }
  },
  write(changes) {
    try {
      localStorage.setItem(this.key, JSON.stringify({ ...this.read(), ...changes }));
    } catch (error) {
      alarm(`This browser keeps nothing (${error.message}): what cannot be sent is lost when the page is closed.`);
    }
  },
};

const state = { session: null, name: "", listener: null, draw: "", plan: [], done: new Set(), unsent: [], index: -1 };

function alarm(text) {
  $("alarm").textContent = text;
  $("alarm").hidden = !text;
}

/** Talk with the server: an answer, or an error that says whether trying again may help. */
async function ask(path, body) {
  let response;
  try {
    response = await fetch(path, body && { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } });
  } catch {
    throw Object.assign(new Error("The server does not answer."), { isAway: true });
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw Object.assign(new Error(answer.error ?? `The server says ${response.status}.`), { isAway: response.status >= 500 });
  return answer;
}

async function patiently(attempt) {
  for (;;) {
    try {
      const result = await attempt();
      alarm("");
      return result;
    } catch (error) {
      if (!error.isAway) throw error;
      alarm("The server does not answer. Start it again: this page goes on by itself.");
      await new Promise(done => setTimeout(done, RETRY_MS));
    }
  }
}

/* Sending: an answer stays in the browser until the server has it on its disk. */

let isSending = false;

async function send() {
  if (isStatic || isSending) return;
  isSending = true;
  while (state.unsent.length) {
    const { listener, draw } = state.unsent[0]; // perhaps of someone who was here before
    const batch = state.unsent.filter(each => each.listener === listener && each.draw === draw).slice(0, 50);
    try {
      await patiently(() => ask("ratings", { listener, draw, answers: batch.map(each => each.answer) }));
    } catch (error) { // not what the server takes, now or later: kept here, for whoever looks into it
      alarm(error.message);
      memory.write({ refused: [...(memory.read().refused ?? []), ...batch] });
    }
    state.unsent = state.unsent.filter(each => !batch.includes(each));
    memory.write({ unsent: state.unsent });
    showUnsent();
  }
  isSending = false;
}

function showUnsent() {
  const count = state.unsent.length;
  $("notice").hidden = !count || isStatic;
  const kept = count === 1 ? "1 answer is kept in this browser, and sent as soon as the server takes it." : `${count} answers are kept in this browser, and sent as soon as the server takes them.`;
  $("notice").textContent = kept;
}

/* Listening. */

let context = null;
let versions = null;
let loaded = 0; // counts trials, so that what comes late for an earlier one is dropped
let loop = [0, 0];
let position = 0;
let isPlaying = false;
let heard = new Set();
let began = 0;
let peaks = [];

async function flac(letter) {
  const trial = state.plan[state.index];
  if (!isStatic) {
    return patiently(async () => {
      let response;
      try {
        response = await fetch(`sounds/${state.listener}/${state.index}/${letter}`);
        if (response.ok) return await response.arrayBuffer();
      } catch { /* the server went away meanwhile */ }
      throw Object.assign(new Error("A sound is missing on the server."), { isAway: !response || response.ok || response.status >= 500 });
    });
  }
  const name = trial.sounds[letter];
  const script = document.createElement("script");
  script.src = `sounds/${name}.js`;
  await new Promise((resolve, reject) => {
    script.onload = resolve;
    script.onerror = () => reject(new Error(`${script.src} is missing.`));
    document.head.append(script);
  });
  const bytes = Uint8Array.from(atob(sounds[name]), sign => sign.charCodeAt(0));
  script.remove();
  delete sounds[name];
  return bytes.buffer;
}

async function load() {
  const mine = ++loaded;
  const song = state.session.songs[state.plan[state.index].song];
  if (context?.sampleRate !== song.sample_rate) {
    await context?.close();
    context = new AudioContext({ sampleRate: song.sample_rate, latencyHint: "interactive" });
  }
  const decoded = await Promise.all(letters().map(async letter => context.decodeAudioData(await flac(letter))));
  if (mine !== loaded) return;
  versions = new Versions(context, joined(decoded));
  measure(versions.sound);
  show();
}

function letters() {
  const trial = state.plan[state.index];
  return trial.letters ?? Object.keys(trial.sounds);
}

async function play() {
  if (!versions) return;
  await context.resume();
  if (isPlaying) return;
  isPlaying = true;
  heard.add(versions.current);
  versions.start(position, loop, context.currentTime + LEAD_S);
  requestAnimationFrame(tick);
  show();
}

function pause() {
  if (!isPlaying) return;
  position = versions.position(context.currentTime);
  versions.stop(context.currentTime + LEAD_S);
  isPlaying = false;
  show();
}

function hear(index) {
  if (!versions || index < 0 || index >= versions.count) return;
  versions.hear(index, context.currentTime + LEAD_S);
  if (isPlaying) heard.add(index);
  show();
}

function seek(seconds) {
  const duration = versions?.duration ?? 0;
  position = Math.min(Math.max(0, seconds), Math.max(0, duration - 0.05));
  if (position >= loop[1] || position < loop[0]) loop = [0, duration];
  restart();
}

/** Begin again at the place at hand: the old sound fades out while the new one fades in. */
function restart() {
  if (isPlaying) {
    versions.stop(context.currentTime + LEAD_S);
    versions.start(position, loop, context.currentTime + LEAD_S);
  }
  memory.write({ loop: [songPlace(), ...loop] });
  show();
}

function setLoop(from, to) {
  const duration = versions?.duration ?? 0;
  from = Math.min(Math.max(0, from), duration);
  to = Math.min(Math.max(0, to), duration);
  if (!(to - from >= 0.2)) [from, to] = [0, duration]; // shorter ones are no loops to listen to
  if (isPlaying) position = versions.position(context.currentTime);
  loop = [from, to];
  if (position < from || position >= to) position = from;
  restart();
}

function tick() {
  if (!isPlaying) return;
  position = versions.position(context.currentTime);
  showPlace();
  requestAnimationFrame(tick);
}

/* Drawing: one waveform for all versions, so that it does not tell them apart. */

function measure(sound) {
  const columns = 600;
  peaks = new Float32Array(columns);
  for (let channel = 0; channel < sound.numberOfChannels; channel++) {
    const data = sound.getChannelData(channel);
    for (let frame = 0; frame < sound.length; frame += 7) {
      const column = Math.floor(frame / sound.length * columns);
      peaks[column] = Math.max(peaks[column], Math.abs(data[frame]));
    }
  }
  const highest = Math.max(...peaks, 1e-6);
  peaks = peaks.map(peak => peak / highest);
}

function draw() {
  const canvas = $("wave");
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth, height = canvas.clientHeight;
  if (!width) return;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name);
  const duration = versions?.duration ?? 1;
  const x = seconds => seconds / duration * width;
  peaks.forEach((peak, column) => {
    const seconds = column / peaks.length * duration;
    pen.fillStyle = colour(seconds >= loop[0] && seconds < loop[1] ? "--blue" : "--wave");
    const half = Math.max(0.5, peak * height / 2 * 0.95);
    pen.fillRect(column / peaks.length * width, height / 2 - half, width / peaks.length + 0.5, 2 * half);
  });
  pen.fillStyle = colour("--orange");
  pen.fillRect(x(position) - 1, 0, 2, height);
  if (loop[0] > 0 || loop[1] < duration) for (const edge of loop) pen.fillRect(x(edge) - 0.5, 0, 1, height);
}

function time(seconds) {
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
}

function showPlace() {
  $("position").value = position;
  $("position").setAttribute("aria-valuetext", time(position));
  $("clock").textContent = time(position);
  draw();
}

function show() {
  const isReady = versions !== null;
  const duration = versions?.duration ?? 0;
  $("play").textContent = isPlaying ? "Pause" : isReady ? "Play" : "Loading";
  $("play").disabled = !isReady;
  $("position").max = duration;
  $("loop-from").value = loop[0].toFixed(1);
  $("loop-to").value = loop[1].toFixed(1);
  [...$("versions").children].forEach((button, index) => {
    button.setAttribute("aria-pressed", String(isReady && index === versions.current));
    button.disabled = !isReady;
  });
  const missing = letters().filter((_, index) => !heard.has(index));
  const unset = state.session.method === "mushra" ? [...$("sliders").querySelectorAll("input")].filter(input => !input.dataset.set) : [];
  for (const button of $("answers").children) button.disabled = !isReady || missing.length > 0 || unset.length > 0;
  if (missing.length) $("hint").textContent = `Still to be heard: ${missing.join(", ")}.`;
  else $("hint").textContent = unset.length ? `Still to be rated: ${unset.map(input => input.dataset.letter).join(", ")}.` : "";
  showPlace();
}

/* Trials. */

/** Whose trial, and which: what drafts in this browser belong to. */
function place() {
  return `${state.listener}/${state.index}`;
}

/** Whose song: a loop stays from trial to trial. */
function songPlace() {
  return `${state.listener}/song ${state.plan[state.index].song}`;
}

function element(kind, properties, ...children) {
  const made = Object.assign(document.createElement(kind), properties);
  made.append(...children);
  return made;
}

function next() {
  if (isPlaying) pause();
  versions = null;
  peaks = [];
  state.index = state.plan.findIndex((_, index) => !state.done.has(index));
  $("trial").hidden = $("keys").hidden = state.index < 0;
  $("end").hidden = state.index >= 0;
  if (state.index < 0) {
    finish();
    return;
  }
  const song = state.session.songs[state.plan[state.index].song];
  const kept = memory.read();
  loop = kept.loop?.[0] === songPlace() ? kept.loop.slice(1) : [0, song.seconds];
  position = loop[0];
  heard = new Set();
  began = performance.now();
  $("heading").textContent = `Trial ${state.index + 1} of ${state.plan.length}`;
  $("progress").max = state.plan.length;
  $("progress").value = state.done.size;
  $("song").textContent = song.name;
  $("versions").replaceChildren(...letters().map((letter, index) => {
    const button = element("button", { type: "button" }, letter);
    button.addEventListener("click", () => hear(index));
    return button;
  }));
  state.session.method === "mushra" ? makeSliders(kept) : makeChoices();
  show();
  $("heading").focus();
  load().catch(error => alarm(error.message));
}

function makeChoices() {
  const isAbx = state.session.method === "abx";
  const choices = letters().filter(letter => !isAbx || letter !== "X");
  $("answers").replaceChildren(...choices.map(letter => {
    const button = element("button", { type: "button" }, isAbx ? `X is ${letter}` : `I prefer ${letter}`);
    button.dataset.letter = letter;
    button.addEventListener("click", () => answer({ choice: letter }));
    return button;
  }));
}

function makeSliders(kept) {
  const drafts = kept.points?.[0] === place() ? kept.points[1] : {};
  const scale = element("div", { className: "scale", ariaHidden: "true" }, ...GRADES.map(grade => element("span", {}, grade)));
  const rows = letters().filter(letter => letter !== "Reference").map(letter => {
    const input = element("input", { type: "range", min: 0, max: 100, step: 1, value: drafts[letter] ?? 50, id: `points-${letter}` });
    const output = element("output", {}, drafts[letter] === undefined ? "not yet" : grade(drafts[letter]));
    input.dataset.letter = letter;
    if (drafts[letter] !== undefined) input.dataset.set = "1";
    const set = () => {
      input.dataset.set = "1";
      output.textContent = grade(Number(input.value));
      input.setAttribute("aria-valuetext", output.textContent);
      memory.write({ points: [place(), points()] });
      show();
    };
    input.addEventListener("input", set);
    input.addEventListener("change", set);
    input.addEventListener("focus", () => hear(letters().indexOf(letter)));
    return element("div", { className: "slider" }, element("label", { htmlFor: input.id }, letter), input, output);
  });
  $("sliders").replaceChildren(scale, ...rows);
  $("sliders").hidden = false;
  const button = element("button", { type: "button", className: "main" }, "Next");
  button.addEventListener("click", () => answer({ ratings: points() }));
  $("answers").replaceChildren(button);
}

function grade(value) {
  return `${value} ${GRADES[Math.min(4, Math.floor(value / 20))]}`;
}

function points() {
  const inputs = [...$("sliders").querySelectorAll("input")].filter(input => input.dataset.set);
  return Object.fromEntries(inputs.map(input => [input.dataset.letter, Number(input.value)]));
}

function answer(given) {
  const seconds = Math.round((performance.now() - began) / 100) / 10;
  const full = { trial: state.index, ...given, seconds, rated_at: new Date().toISOString() };
  state.done.add(state.index);
  if (isStatic) {
    const { people } = memory.read();
    people[keyOf(state.name)].answers.push(full);
    memory.write({ people });
  } else {
    state.unsent.push({ listener: state.listener, draw: state.draw, answer: full });
    memory.write({ unsent: state.unsent });
    showUnsent();
    send();
  }
  next();
}

function finish() {
  $("save").hidden = !isStatic;
  $("end-text").textContent = isStatic
    ? "All trials are answered. Save them as a file, and give that file to who gave you this page."
    : "All trials are answered. You may close this page.";
  $("end").querySelector("h2").focus();
}

function save() {
  const { answers } = memory.read().people[keyOf(state.name)];
  const { kind, version, id } = STATIC;
  const form = { kind, version, session: id, listener: state.listener, name: state.name, plan: state.plan, answers };
  const url = URL.createObjectURL(new Blob([JSON.stringify(form, null, 1)], { type: "application/json" }));
  element("a", { href: url, download: `audition-${state.listener.slice(0, 8)}.json` }).click();
}

/** A name as a key that no object has of its own. */
function keyOf(name) {
  return `of ${name}`;
}

/** Who listens, on a page without a server: drawn when a name comes for the first time. */
function person(name) {
  const people = memory.read().people ?? {};
  if (!people[keyOf(name)]) {
    const draw = [...crypto.getRandomValues(new Uint32Array(5))];
    const listener = draw.slice(1).map(part => part.toString(16).padStart(8, "0")).join("");
    people[keyOf(name)] = { listener, draw: draw[0] % STATIC.plans.length, answers: [] };
  }
  memory.write({ name, people });
  return people[keyOf(name)];
}

async function listen(name) {
  if (isStatic) {
    const { listener, draw, answers } = person(name);
    Object.assign(state, { name, listener, plan: STATIC.plans[draw], done: new Set(answers.map(each => each.trial)) });
  } else {
    const { listener, draw, plan, done } = await patiently(() => ask("listen", { name }));
    memory.write({ name });
    const own = state.unsent.filter(each => each.listener === listener && each.draw === draw);
    Object.assign(state, { name, listener, draw, plan, done: new Set([...done, ...own.map(each => each.answer.trial)]) });
  }
  $("who").textContent = name;
  $("who").hidden = $("other").hidden = false;
  $("begin").hidden = true;
  next();
}

/** Back to the name, for whoever listens next; what is not sent yet still is. */
function leave() {
  if (isPlaying) pause();
  loaded++;
  memory.write({ name: "" });
  $("who").hidden = $("other").hidden = $("trial").hidden = $("keys").hidden = $("end").hidden = true;
  $("begin").hidden = false;
  $("name").value = "";
  $("name").focus();
}

async function start() {
  state.session = isStatic ? STATIC : await patiently(() => ask("session.json"));
  memory.key = `forestage-audition-${state.session.id}`;
  $("task").textContent = TASKS[state.session.method];
  for (const each of document.querySelectorAll("[data-with]"))
    each.hidden = (each.dataset.with === "sliders") !== (state.session.method === "mushra");
  const { name, unsent } = memory.read();
  state.unsent = unsent ?? [];
  showUnsent();
  send();
  if (name) {
    await listen(name);
    return;
  }
  $("begin").hidden = false;
  $("name").focus();
}

/* What people do. */

$("name-form").addEventListener("submit", event => {
  event.preventDefault();
  listen($("name").value.trim()).catch(error => alarm(error.message));
});
$("play").addEventListener("click", () => isPlaying ? pause() : play());
$("position").addEventListener("input", () => seek(Number($("position").value)));
for (const id of ["loop-from", "loop-to"])
  $(id).addEventListener("change", () => setLoop(Number($("loop-from").value), Number($("loop-to").value)));
$("loop-all").addEventListener("click", () => setLoop(0, versions?.duration ?? 0));
$("save").addEventListener("click", save);
$("other").addEventListener("click", leave);
window.addEventListener("resize", draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);

let dragged = null;
const placeOf = event => {
  const box = $("wave").getBoundingClientRect();
  return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * (versions?.duration ?? 0);
};
$("wave").addEventListener("pointerdown", event => {
  dragged = placeOf(event);
  $("wave").setPointerCapture(event.pointerId);
});
$("wave").addEventListener("pointerup", event => {
  const end = placeOf(event);
  if (dragged !== null && Math.abs(end - dragged) >= 0.2) setLoop(Math.min(dragged, end), Math.max(dragged, end));
  else if (dragged !== null) seek(end);
  dragged = null;
});

document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.altKey || event.metaKey || $("trial").hidden) return;
  const { target } = event;
  if (target.matches("input[type=number], input#name")) return;
  const index = /^[1-9]$/.test(event.key)
    ? Number(event.key) - 1
    : letters().findIndex(letter => letter[0].toUpperCase() === event.key.toUpperCase() && event.key.length === 1);
  const isOn = target.matches("button, summary");
  const isSlider = target.matches("input[type=range]");
  const actions = {
    "[": () => setLoop(position, loop[1]),
    "]": () => setLoop(loop[0], position),
    "\\": () => setLoop(0, versions?.duration ?? 0),
  };
  if (!isOn) actions[" "] = () => isPlaying ? pause() : play();
  if (!isOn) actions.Enter = () => state.session.method === "mushra" && $("answers").firstChild.click();
  if (!isSlider) Object.assign(actions, { ArrowLeft: () => seek(position - 1), ArrowRight: () => seek(position + 1) });
  if (actions[event.key]) {
    event.preventDefault();
    actions[event.key]();
  } else if (event.shiftKey && index >= 0) {
    const letter = letters()[index];
    const slider = $(`points-${letter}`);
    if (slider) slider.focus();
    else $("answers").querySelector(`[data-letter="${letter}"]`)?.click();
  } else if (index >= 0) hear(index);
});

start().catch(error => alarm(error.message));
