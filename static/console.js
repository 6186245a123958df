// The console's one script. It makes pages better; every page does all of its work without it.
"use strict";

// Copy: the buttons stand hidden beside values that people take elsewhere.
for (const button of document.querySelectorAll("button.copy")) {
  const value = button.parentElement.querySelector("pre");
  const words = button.querySelector("b");
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(value.textContent);
      words.textContent = "Copied";
    } catch {
      // Without permission the value is selected, and the reader copies it.
      getSelection().selectAllChildren(value);
      words.textContent = "Selected";
    }
    setTimeout(() => { words.textContent = "Copy"; }, 2000);
  });
}

// The reader's own time as a title; the page itself stays in UTC.
for (const time of document.querySelectorAll("time[datetime]")) {
  time.title = new Date(time.dateTime).toLocaleString() + " where you are";
}

// Escape closes the phone's menu.
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && location.hash === "#menu") location.hash = "#main";
});

// Whoever leaves a form with something typed in it is asked first. Its own ways out are meant.
let unsaved = false;
document.addEventListener("input", (event) => {
  if (event.target.form?.method === "post") unsaved = true;
});
document.addEventListener("click", (event) => {
  if (event.target.closest?.(".actions a")) unsaved = false;
});
addEventListener("submit", () => { unsaved = false; });
addEventListener("beforeunload", (event) => { if (unsaved) event.preventDefault(); });
