// The player: every pane shows the same frame, drawn in one go from sheets that have been read whole.

const EXTREMES = 5;
const HEIGHT = 140; // of the lines in the strip, in units of its view box; below them lie the strata
const STRATA = { n: "near", m: "middle", f: "far" };
const still = matchMedia("(prefers-reduced-motion: reduce)");

const box = document.getElementById("player-data");
if (box) start(JSON.parse(box.textContent));

function start(data) {
  const root = document.getElementById("player");
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const initial = { clip: 0, shots: data.shots.length - 1, system: data.systems.length - 1, metric: 0, frame: 0 };
  let state = { ...initial };
  let shown = null; // the sheets on the screen, and of which clip and shots they are
  let clock = null; // while playing: when it began, and at which frame
  let loads = 0;
  let wanted = false; // nothing is read before somebody comes near
  let writing = 0;

  const clips = data.clips.map((clip) => ({
    ...clip,
    frames: clip.queries.flatMap((query) =>
      query.rows.map((row, place) => ({ of: query.clip, row, stratum: STRATA[query.strata[place]] })),
    ),
    packed: null,
  }));
  const targetName = (clip) => (data.across ? "Driver" : "Target");
  const now = () => clips[state.clip];

  // ---- scores

  function code(clip, metric, shots, system, frame) {
    clip.packed ??= new Int16Array(Uint8Array.from(atob(clip.scores), (one) => one.charCodeAt(0)).buffer);
    const { length } = clip.frames;
    return clip.packed[((metric * data.shots.length + shots) * data.systems.length + system) * length + frame];
  }
  const isValue = (one) => one > data.lowest + 700;
  const value = (one, metric) => one / 10 ** data.metrics[metric].places;
  const reason = (clip, one) => clip.reasons[one - data.lowest];
  function printed(clip, one, metric) {
    if (!isValue(one)) return reason(clip, one);
    const { places, unit } = data.metrics[metric];
    return value(one, metric).toFixed(places).replace("-", "\u2212") + (unit ? ` ${unit}` : "");
  }

  // ---- sheets

  const pictures = new Map();
  function picture(url) {
    if (!pictures.has(url)) {
      pictures.set(
        url,
        new Promise((ready, failed) => {
          const one = new Image();
          one.onload = () => ready(one);
          one.onerror = () => failed(new Error(url));
          one.src = url;
        }),
      );
    }
    return pictures.get(url);
  }

  function sheetsNeeded() {
    const clip = now();
    const systems = clip.systems[state.shots];
    const layers = [on("asked") && clip.asked, on("gaze") && clip.gaze];
    const found = on("found") ? systems.map((one) => one.found) : [];
    return [clip.support.url, clip.driving, clip.target, ...systems.map((one) => one.url), ...layers, ...found].filter(
      Boolean,
    );
  }

  async function load() {
    if (!wanted) return;
    const mine = ++loads;
    const { clip, shots } = state;
    const urls = new Set(sheetsNeeded());
    for (const url of pictures.keys()) if (!urls.has(url)) pictures.delete(url);
    const read = await Promise.allSettled([...urls].map(async (url) => [url, await picture(url)]));
    if (mine !== loads) return;
    const sheets = new Map(read.filter((one) => one.status === "fulfilled").map((one) => one.value));
    const lost = urls.size - sheets.size;
    part("trouble").hidden = !lost;
    if (lost) {
      part("trouble").textContent =
        `${lost} of ${urls.size} pictures could not be read. They lie in the folder "media" beside this page: is it there?`;
      pictures.clear();
    }
    shown = { clip, shots, sheets };
    render();
  }

  // ---- panes

  function element(name, options = {}, ...children) {
    const one = document.createElement(name);
    for (const [key, content] of Object.entries(options)) {
      if (key in one) one[key] = content;
      else one.setAttribute(key, content);
    }
    one.append(...children);
    return one;
  }
  function drawing(name, attributes = {}, text = "") {
    const one = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, content] of Object.entries(attributes)) one.setAttribute(key, content);
    one.textContent = text;
    return one;
  }
  function keyOf(system) {
    const key = drawing("svg", {
      class: `key s${system.place}`, viewBox: "-15 -7 30 14", width: 30, height: 14, "aria-hidden": true,
    });
    key.append(drawing("line", { x1: -15, x2: 15, y1: 0, y2: 0, "stroke-dasharray": system.dash || "none" }));
    key.append(drawing("path", { d: system.marker }));
    return key;
  }

  function screen(into) {
    const layer = (name) => element("canvas", { className: name, "aria-hidden": "true" });
    const frame = element("canvas", { className: "frame", role: "img", "aria-label": "Not loaded yet" });
    const gone = element("span", { className: "gone", hidden: true });
    const [errors, points] = [layer("errors"), layer("points")];
    into.append(frame, errors, points, gone);
    return { frame, errors, points, gone };
  }

  function paint(canvas, grid, place, sheets, { strip = false, across = grid.size } = {}) {
    const x = (place % grid.columns) * grid.width;
    const y = Math.floor(place / grid.columns) * grid.height;
    const high = grid.size + (strip ? grid.strip : 0);
    const tall = Math.round((across * high) / grid.size);
    if (canvas.width !== across || canvas.height !== tall) Object.assign(canvas, { width: across, height: tall });
    const context = canvas.getContext("2d");
    context.globalCompositeOperation = "source-over";
    context.clearRect(0, 0, across, tall);
    for (const [sheet, mode] of sheets) {
      context.globalCompositeOperation = mode;
      context.drawImage(sheet, x, y, grid.size, high, 0, 0, across, tall);
    }
  }

  function show(pane, url, layers, said, { missing = false, strip = false } = {}) {
    const { grid, target } = clips[shown.clip];
    const sheet = shown.sheets.get(url);
    const over = "source-over";
    paint(pane.frame, grid, state.frame, sheet ? [[sheet, over]] : [], { strip });
    pane.frame.setAttribute("aria-label", said);
    pane.gone.hidden = Boolean(sheet) && !missing;
    pane.gone.textContent = missing ? "nothing delivered" : "not there";
    const real = shown.sheets.get(target);
    const differs = layers.errors && sheet && real && !missing;
    pane.errors.hidden = !differs;
    if (differs) paint(pane.errors, grid, state.frame, [[real, over], [sheet, "difference"]]);
    const lines = [layers.asked, layers.gaze, layers.found].map((one) => one && shown.sheets.get(one)).filter(Boolean);
    pane.points.hidden = !lines.length;
    const across = Math.round(pane.frame.clientWidth * devicePixelRatio) || grid.size;
    if (lines.length) paint(pane.points, grid, state.frame, lines.map((one) => [one, over]), { across });
  }

  const driving = pane("Driving", "what is given");
  const target = pane(targetName(), data.across ? "whose movements they are" : "what was recorded");
  const systems = data.systems.map((system, place) => {
    const button = element("button", { type: "button", "aria-pressed": "false" }, keyOf(system), system.name);
    button.addEventListener("click", () => go({ system: place }));
    return { button, ...pane(button) };
  });
  const wiped = { real: screen(part("wiped")), drawn: screen(part("wiped")) };
  wiped.drawn.frame.classList.add("over");

  function pane(title, note) {
    const heading = note
      ? element("div", { className: "title" }, title, element("span", {}, note))
      : title;
    const [inside, measured] = [element("div", { className: "screen" }), element("div", { className: "value" })];
    part("panes").append(element("div", { className: "pane" }, heading, measured, inside));
    return { ...screen(inside), measured };
  }

  // ---- what the page shows

  function render() {
    if (!shown) return;
    const clip = clips[shown.clip];
    const frame = clip.frames[state.frame];
    const about = `${clip.identity}, frame ${frame.row}`;
    const asked = on("asked") && clip.asked;
    const gaze = on("gaze") && clip.gaze;
    const errors = on("errors");
    const beside = data.across ? `real frame of ${clip.driver}, who drives` : "real target";
    show(driving, clip.driving, {}, `landmark map of ${about}`);
    show(target, clip.target, { asked, gaze }, `${beside}, ${about}`);
    show(wiped.real, clip.target, { asked, gaze }, `${beside}, ${about}`, { strip: true });
    data.systems.forEach((system, place) => {
      const one = clip.systems[shown.shots][place];
      const from = `${system.name} from ${data.shots[shown.shots]} shots, ${about}`;
      const said = system.mark ? `${system.mark}: ${from}` : `${from} (${system.pictures})`;
      const layers = { asked, gaze: false, found: on("found") && one.found, errors };
      const missing = one.missing.includes(state.frame);
      show(systems[place], one.url, layers, said, { missing, strip: Boolean(system.mark) });
      if (place === state.system) show(wiped.drawn, one.url, layers, said, { missing, strip: true });
      const score = code(clip, state.metric, shown.shots, place, state.frame);
      systems[place].measured.textContent = printed(clip, score, state.metric);
    });
    const elsewhere = frame.of === clip.clip ? "" : ` of ${frame.of}`;
    part("where").textContent =
      `frame ${frame.row}${elsewhere}, ${state.frame + 1} of ${clip.frames.length}, ${frame.stratum}`;
    part("scrub").value = state.frame;
    part("scrub").setAttribute("aria-valuetext", part("where").textContent);
    part("strip").querySelector(".now")?.setAttribute("transform", `translate(${across(state.frame)} 0)`);
    root.dataset.frame = state.frame;
    root.dataset.ready = `${shown.clip} ${shown.shots}`;
    wipe();
  }

  function wipe() {
    const { grid } = now();
    const share = part("wipe").value;
    const foot = (100 * grid.size) / (grid.size + grid.strip);
    // the label below the picture stays whole as long as any of the picture can be seen
    wiped.drawn.frame.style.clipPath =
      share >= 100 ? "inset(100%)" : `polygon(${share}% 0, 100% 0, 100% 100%, 0 100%, 0 ${foot}%, ${share}% ${foot}%)`;
    for (const one of [wiped.drawn.errors, wiped.drawn.points, wiped.drawn.gone]) {
      one.style.clipPath = `inset(0 0 0 ${share}%)`;
    }
    wiped.real.points.style.clipPath = `inset(0 ${100 - share}% 0 0)`;
    part("wipe").setAttribute("aria-valuetext", `${share}% ${targetName().toLowerCase()}`);
  }

  function describe() {
    const clip = now();
    const [system, metric, shots] = [data.systems[state.system], data.metrics[state.metric], data.shots[state.shots]];
    for (const name of ["clip", "shots", "system", "metric"]) part(name).value = state[name];
    part("scrub").max = clip.frames.length - 1;
    systems.forEach((one, place) => one.button.setAttribute("aria-pressed", String(place === state.system)));
    part("compared").textContent = `${targetName()} on the left, ${system.name} on the right`;
    part("wipe-name").textContent = `How much of the ${targetName().toLowerCase()}`;
    part("measured").textContent = `${metric.title} of each frame ${metric.arrow} ${metric.direction}. Click to go there.`;
    support(clip, shots);
    strip(clip);
    extremes();
  }

  async function support(clip, shots) {
    const count = clip.counts[state.shots];
    const said = `${count} real source ${count === 1 ? "frame" : "frames"} of ${clip.identity}`;
    part("sourced").textContent = said;
    if (!wanted) return;
    const sheet = await picture(clip.support.url).catch(() => null);
    if (clip !== now() || shots !== data.shots[state.shots] || !sheet) return;
    const { columns, size, width, height } = clip.support;
    const wide = Math.min(count, matchMedia("(max-width: 40rem)").matches ? 8 : 16);
    const canvas = part("support");
    Object.assign(canvas, { width: wide * (size + 4) - 4, height: Math.ceil(count / wide) * (size + 4) - 4 });
    canvas.setAttribute("aria-label", said);
    for (let place = 0; place < count; place += 1) {
      const [x, y] = [(place % columns) * width, Math.floor(place / columns) * height];
      const to = [(place % wide) * (size + 4), Math.floor(place / wide) * (size + 4)];
      canvas.getContext("2d").drawImage(sheet, x, y, size, size, ...to, size, size);
    }
  }

  // ---- the strip of values

  const across = (frame) => ((frame + 0.5) * 1000) / now().frames.length;

  function strip(clip) {
    const picture = part("strip");
    const { higher, places } = data.metrics[state.metric];
    const rows = data.systems.map((_, system) =>
      clip.frames.map((_, frame) => code(clip, state.metric, state.shots, system, frame)),
    );
    const values = rows.flat().filter(isValue);
    const [low, high] = values.length ? [Math.min(...values), Math.max(...values)] : [0, 1];
    const up = (one) => HEIGHT - 8 - ((one - low) / (high - low || 1)) * (HEIGHT - 16);
    picture.replaceChildren();
    data.systems.forEach((system, place) => {
      const group = drawing("g", { class: `s${system.place}` });
      const chosen = place === state.system ? " chosen" : "";
      let line = "";
      let pen = "M";
      rows[place].forEach((one, frame) => {
        if (frame && clip.frames[frame - 1].of !== clip.frames[frame].of) pen = "M";
        if (isValue(one)) {
          line += `${pen}${across(frame)} ${up(one)}`;
          pen = "L";
          return;
        }
        pen = "M";
        const edge = higher ? HEIGHT - 3 : 3;
        const failed = !reason(clip, one).startsWith("target");
        if (failed) group.append(drawing("path", { class: "failed", d: `M${across(frame)} ${edge}h.01` }));
      });
      group.prepend(drawing("path", { class: `line${chosen}`, d: line, "stroke-dasharray": system.dash || "none" }));
      if (chosen) picture.append(group);
      else picture.prepend(group);
    });
    clip.frames.forEach((frame, place) => {
      const width = 1000 / clip.frames.length;
      picture.append(drawing("rect", { class: frame.stratum, x: place * width, y: HEIGHT + 6, width: width * 0.94, height: 14 }));
      if (place && clip.frames[place - 1].of !== frame.of) {
        picture.append(drawing("path", { class: "cut", d: `M${place * width} 0V${HEIGHT}` }));
      }
    });
    picture.append(drawing("path", { class: "now", d: `M0 0V${HEIGHT + 20}`, transform: `translate(${across(state.frame)} 0)` }));
    const metric = data.metrics[state.metric];
    const [from, to] = [low, high].map((one) => value(one, state.metric).toFixed(places).replace("-", "\u2212"));
    picture.setAttribute("aria-label", `${metric.title} of ${data.systems.length} systems over ${clip.frames.length} frames, from ${from} to ${to}`);
    part("ends").textContent =
      `From ${from} at the bottom to ${to} at the top. ${data.systems[state.system].name} is the thick line; dots at the edge are frames that could not be scored. ` +
      "Below: how far the frame is from what was shown, pale near, strong far" +
      (clip.queries.length > 1 ? "; dashed lines where another clip begins." : ".");
  }

  part("strip").addEventListener("click", (event) => {
    const { left, width } = part("strip").getBoundingClientRect();
    const { length } = now().frames;
    go({ frame: Math.min(length - 1, Math.max(0, Math.floor(((event.clientX - left) / width) * length))) });
  });

  // ---- worst and best

  function extremes() {
    const { higher, title } = data.metrics[state.metric];
    const scored = [];
    clips.forEach((clip, place) =>
      clip.frames.forEach((_, frame) => {
        const one = code(clip, state.metric, state.shots, state.system, frame);
        const failed = !isValue(one);
        if (failed && (reason(clip, one).startsWith("target") || one === data.lowest)) return;
        scored.push({ clip: place, frame, one, failed, rank: failed ? -Infinity : (higher ? 1 : -1) * value(one, state.metric) });
      }),
    );
    scored.sort((a, b) => (a.rank === b.rank ? 0 : a.rank - b.rank));
    const best = scored.filter((one) => !one.failed).slice(-EXTREMES).reverse();
    list("worst", scored.slice(0, EXTREMES), `Worst of ${data.systems[state.system].name} by ${title}`);
    list("best", best, `Best of ${data.systems[state.system].name} by ${title}`);
  }

  function list(name, found, title) {
    part(`${name}-title`).textContent = title;
    part(name).replaceChildren(
      ...found.map(({ clip, frame, one }) =>
        element("li", {},
          element("a", { href: link({ ...state, clip, frame }) },
            element("b", {}, printed(clips[clip], one, state.metric)),
            ` ${clips[clip].identity}, frame ${clips[clip].frames[frame].row}`)),
      ),
    );
  }

  // ---- the address

  function link(to) {
    const clip = clips[to.clip];
    const frame = clip.frames[to.frame];
    const said = { clip: clip.clip, frame: frame.row };
    if (frame.of !== clip.clip) said.of = frame.of;
    Object.assign(said, {
      shots: data.shots[to.shots], system: data.systems[to.system].name, metric: data.metrics[to.metric].id,
    });
    const readable = (text) => encodeURIComponent(text).replaceAll("%2F", "/").replaceAll("%40", "@");
    return `#${Object.entries(said).map(([key, one]) => `${key}=${readable(one)}`).join("&")}`;
  }

  function linked(hash) {
    const said = new URLSearchParams(hash.slice(1));
    const place = (list, name, of) => Math.max(-1, list.findIndex((one) => String(of(one)) === said.get(name)));
    const clip = place(clips, "clip", (one) => one.clip);
    if (clip < 0) return null;
    const of = said.get("of") ?? clips[clip].clip;
    const row = said.get("frame");
    const { frames } = clips[clip];
    const exact = frames.findIndex((one) => one.of === of && String(one.row) === row);
    const frame = exact < 0 ? frames.findIndex((one) => String(one.row) === row) : exact;
    const found = {
      clip,
      frame,
      shots: place(data.shots, "shots", (one) => one),
      system: place(data.systems, "system", (one) => one.name),
      metric: place(data.metrics, "metric", (one) => one.id),
    };
    return Object.fromEntries(Object.entries({ ...initial, clip }).map(([key, one]) => [key, found[key] < 0 ? one : found[key]]));
  }

  function write(push) {
    clearTimeout(writing);
    const hash = link(state);
    if (hash === location.hash) return;
    if (push) history.pushState(null, "", hash);
    else writing = setTimeout(() => history.replaceState(null, "", link(state)), 250);
  }

  function followAddress() {
    const to = location.hash ? linked(location.hash) : initial;
    if (!to) return false;
    clearTimeout(writing);
    halt();
    go(to, { write: false });
    return Boolean(location.hash);
  }

  // ---- moving

  function go(to, { write: writes = true } = {}) {
    const before = state;
    state = { ...state, ...to };
    state.frame = Math.min(state.frame, now().frames.length - 1);
    if (clock && "frame" in to) clock = { since: performance.now(), from: state.frame };
    const chosen = ["clip", "shots", "system", "metric"].some((key) => state[key] !== before[key]);
    if (chosen) describe();
    if (state.clip !== before.clip || state.shots !== before.shots || !shown) load();
    else render();
    if (writes) write(chosen);
    if (!clock) part("said").textContent = `frame ${now().frames[state.frame].row}, ${state.frame + 1} of ${now().frames.length}`;
  }

  const step = (by) => {
    const { length } = now().frames;
    go({ frame: (state.frame + by + length) % length });
  };

  function play() {
    clock = { since: performance.now(), from: state.frame };
    part("play").setAttribute("aria-pressed", "true");
    requestAnimationFrame(tick);
  }
  function halt() {
    if (!clock) return;
    clock = null;
    part("play").setAttribute("aria-pressed", "false");
  }
  function tick(time) {
    if (!clock) return;
    const { length } = now().frames;
    const place = clock.from + Math.floor(Math.max(0, time - clock.since) / 1000 * now().fps * part("speed").value);
    if (place >= length && still.matches) {
      go({ frame: length - 1 });
      halt();
      return;
    }
    if (place % length !== state.frame) {
      state.frame = place % length;
      render();
    }
    requestAnimationFrame(tick);
  }
  function toggle() {
    if (clock) {
      halt();
      write(false);
    } else play();
  }

  const on = (name) => Boolean(part(name)?.checked);
  const keys = {
    ArrowLeft: () => { halt(); step(-1); },
    ArrowRight: () => { halt(); step(1); },
    Home: () => { halt(); go({ frame: 0 }); },
    End: () => { halt(); go({ frame: now().frames.length - 1 }); },
    " ": toggle,
  };
  part("stage").addEventListener("keydown", (event) => {
    const { target: at } = event;
    const own = at.matches("select") || (at.matches("input") && at !== part("scrub")) || (event.key === " " && at.matches("button"));
    if (own || event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
    event.preventDefault();
    keys[event.key]();
  });
  part("back").addEventListener("click", keys.ArrowLeft);
  part("next").addEventListener("click", keys.ArrowRight);
  part("play").addEventListener("click", toggle);
  part("scrub").addEventListener("input", () => { halt(); go({ frame: Number(part("scrub").value) }); });
  part("speed").addEventListener("change", () => { if (clock) clock = { since: performance.now(), from: state.frame }; });
  part("wipe").addEventListener("input", wipe);
  for (const name of ["asked", "found", "gaze", "errors"]) part(name)?.addEventListener("change", load);
  for (const name of ["clip", "shots", "system", "metric"]) {
    part(name).addEventListener("change", () => go({ [name]: Number(part(name).value), ...(name === "clip" ? { frame: 0 } : {}) }));
  }
  addEventListener("resize", () => { render(); if (wanted) support(now(), data.shots[state.shots]); });
  addEventListener("hashchange", () => {
    if (location.hash && followAddress()) root.scrollIntoView({ block: "nearest" });
    else if (!location.hash) followAddress();
  });

  const option = (text, place) => element("option", { value: place }, text);
  part("clip").append(...clips.map((one, place) => option(`${one.identity} (${one.clip})`, place)));
  part("shots").append(...data.shots.map((one, place) => option(String(one), place)));
  part("system").append(...data.systems.map((one, place) => option(one.name, place)));
  part("metric").append(...data.metrics.map((one, place) => option(`${one.title} ${one.arrow}`, place)));

  for (const one of document.querySelectorAll("[data-look]")) {
    if (linked(one.dataset.look)) one.replaceWith(element("a", { href: one.dataset.look }, one.textContent));
  }
  root.hidden = false;
  root.closest(".look").classList.add("live");
  describe();
  const begin = () => {
    if (wanted) return;
    wanted = true;
    describe();
    load();
  };
  if (location.hash && followAddress()) {
    begin();
    root.scrollIntoView();
  }
  new IntersectionObserver((seen, observer) => {
    if (!seen.some((one) => one.isIntersecting)) return;
    observer.disconnect();
    begin();
  }, { rootMargin: "600px" }).observe(root);
}
