"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const place = document.getElementById("study");
const part = (id) => document.getElementById(id).innerHTML;
const CODE = /^[A-Za-z0-9_-]{1,40}$/;
const SETTLE_MS = 300; // a double click must not answer the next set, too

let rater = "";
let outcome = "refused";

function focusHeading() {
  window.scrollTo(0, 0);
  const heading = place.querySelector("h1");
  heading.tabIndex = -1;
  heading.focus();
}

function drawnCode() {
  const bytes = crypto.getRandomValues(new Uint8Array(5));
  return `r-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

function watchCode() {
  focusHeading();
  const input = document.getElementById("rater");
  const agree = place.querySelector('[data-choice="0"]');
  input.addEventListener("input", () => {
    rater = input.value.trim();
    const wrong = rater !== "" && !CODE.test(rater);
    agree.disabled = wrong;
    input.setAttribute("aria-invalid", String(wrong));
  });
}

function screen(id, choices, more) {
  return {
    type: jsPsychHtmlButtonResponse,
    stimulus: part(id),
    choices,
    button_layout: "flex",
    on_load: focusHeading,
    ...more,
  };
}

function set(trial, number) {
  const button = (choice, index) =>
    `<button type="button" class="choice"><img src="${trial.pictures[index]}" alt="" width="${data.size}" height="${data.size}">` +
    `<span>Picture ${choice}</span></button>`;
  return {
    type: jsPsychHtmlButtonResponse,
    stimulus:
      `<h1>Which picture was made by a computer?</h1>` +
      `<p class="count">Set ${number + 1} of ${data.trials.length}</p>` +
      `<progress max="${data.trials.length}" value="${number}" aria-label="Sets done"></progress>`,
    choices: ["1", "2", "3"],
    button_html: button,
    grid_rows: 1,
    enable_button_after: SETTLE_MS,
    on_load: focusHeading,
    data: { trial: trial.id },
  };
}

function chooseByKey(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.tagName === "INPUT") return;
  const button = place.querySelectorAll("button.choice")[Number(event.key) - 1];
  if (button) button.click();
}

function result(jsPsych) {
  const answered = jsPsych.data.get().values().filter((row) => row.trial);
  return {
    schema_version: 1,
    study: data.study,
    form: data.form,
    rater,
    answers: answered.map((row) => ({ trial: row.trial, response: row.response, rt_ms: row.rt })),
  };
}

function save(text, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

function showEnd(jsPsych) {
  place.innerHTML = part(outcome);
  focusHeading();
  if (outcome !== "saved") return;
  const text = JSON.stringify(result(jsPsych), null, 1);
  const name = `headshot-study-${data.study}-form-${data.form}-${rater}.json`;
  document.getElementById("file").textContent = name;
  document.getElementById("code").textContent = rater;
  document.getElementById("text").value = text;
  document.getElementById("again").addEventListener("click", () => save(text, name));
  save(text, name);
}

const jsPsych = initJsPsych({ display_element: "study", override_safe_mode: true });
place.addEventListener("keydown", chooseByKey);
jsPsych
  .run([
    screen("consent", ["I agree and take part", "I do not take part"], {
      on_load: watchCode,
      on_finish: (answer) => {
        rater = rater || drawnCode();
        if (answer.response === 1) jsPsych.abortExperiment("");
      },
    }),
    screen("instructions", ["Begin"]),
    ...data.trials.map(set),
    screen("debrief", ["Save my answers", "Discard my answers"], {
      on_finish: (answer) => {
        outcome = answer.response === 0 ? "saved" : "discarded";
      },
    }),
  ])
  .then(() => showEnd(jsPsych));
