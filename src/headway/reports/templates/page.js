"use strict";
// Changes the theme; without it the page follows the system.
const button = document.getElementById("theme");
const dark = () => {
  const set = document.documentElement.dataset.theme;
  return set ? set === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
};
const say = () => {
  button.textContent = dark() ? "Light" : "Dark";
  button.setAttribute("aria-label", `Switch to ${dark() ? "light" : "dark"} colours`);
};
button.hidden = false;
button.addEventListener("click", () => {
  document.documentElement.dataset.theme = dark() ? "light" : "dark";
  say();
});
say();
