/* A badge of a status page for any site: <script src="https://…/widget.js" async></script>. It needs nothing of the site
   but leave to load this file and to ask where it came from (script-src, connect-src). If that fails, nothing is shown. */
(() => {
  "use strict";
  const script = document.currentScript;
  if (!script) return; // a module has none
  const { theme, lang, label, live, hideOperational } = script.dataset;
  const isSet = (value) => value !== undefined && value !== "false";
  const spoken = lang || document.documentElement.lang.split("-")[0];
  const query = spoken ? `?lang=${encodeURIComponent(spoken)}` : "";
  const page = new URL(".", script.src);

  const CSS = `
:host { all: initial; display: inline-block; max-inline-size: 100%; vertical-align: middle; }
:host([hidden]) { display: none; }
a { --ink: #59616b; --ground: #eceef1; display: inline-flex; gap: .5em; align-items: center; box-sizing: border-box; min-block-size: 2em; max-inline-size: 100%; padding: .25em .75em; border: 1px solid currentColor; border-radius: 1em; background: var(--ground); color: var(--ink); font: 600 .875rem/1.4 system-ui, sans-serif; text-decoration: none; overflow-wrap: anywhere; }
a:hover span { text-decoration: underline; }
a:focus-visible { outline: 3px solid; outline-offset: 2px; }
svg { flex: none; inline-size: 1.15em; block-size: 1.15em; fill: currentColor; }
[data-tone="operational"] { --ink: #116340; --ground: #e3f6ec; }
[data-tone="degraded"] { --ink: #6b5300; --ground: #fdf4cf; }
[data-tone="partial"] { --ink: #963a08; --ground: #fdeee3; }
[data-tone="major"] { --ink: #a5122f; --ground: #fdebee; }
[data-tone="maintenance"] { --ink: #1f4f9c; --ground: #e6effb; }`;
  const DARK = `
a { --ink: #a3acb6; --ground: #222932; }
[data-tone="operational"] { --ink: #7ed8a9; --ground: #10291f; }
[data-tone="degraded"] { --ink: #f0d54a; --ground: #2c2609; }
[data-tone="partial"] { --ink: #f79c58; --ground: #331d0e; }
[data-tone="major"] { --ink: #ff8c96; --ground: #3a141a; }
[data-tone="maintenance"] { --ink: #8db4ff; --ground: #14233d; }`;

  const sheet = (text) => {
    const made = new CSSStyleSheet();
    made.replaceSync(text);
    return made;
  };
  const drawn = (name) => document.createElementNS("http://www.w3.org/2000/svg", name);

  const start = () => {
    const host = document.createElement("span");
    const root = host.attachShadow({ mode: "open" });
    const dark = theme === "dark" ? DARK : theme === "light" ? "" : `@media (prefers-color-scheme: dark) {${DARK}}`;
    root.adoptedStyleSheets = [sheet(CSS), sheet(dark)];
    const link = document.createElement("a");
    const icon = drawn("svg");
    const path = drawn("path");
    const text = document.createElement("span");
    const sentence = document.createElement("bdi");
    link.href = page.href + (lang ? query : "");
    link.target = "_blank";
    link.rel = "noopener";
    icon.setAttribute("viewBox", "0 0 20 20");
    icon.setAttribute("aria-hidden", "true");
    path.setAttribute("fill-rule", "evenodd");
    icon.append(path);
    text.append(label ? `${label} ` : "", sentence);
    if (isSet(live)) text.setAttribute("aria-live", "polite");
    link.append(icon, text);
    root.append(link);
    host.hidden = true;
    if (script.closest("body")) script.after(host);
    else document.body.append(host);

    let failed = 0;
    const found = () => fetch(new URL(`widget.json${query}`, page), {
      credentials: "omit", signal: AbortSignal.timeout?.(20000),
    }).then((answer) => (answer.ok ? answer.json() : null)).catch(() => null);
    const ask = async () => {
      const now = await found();
      if (!now) {
        failed += 1;
        if (failed >= 3) host.hidden = true; // a badge that stays green would be a lie
        return;
      }
      failed = 0;
      if (sentence.textContent !== now.sentence) sentence.textContent = now.sentence;
      link.dataset.tone = now.tone;
      link.lang = now.language;
      link.dir = now.direction;
      if (!label) link.title = now.name;
      path.setAttribute("d", now.icon);
      host.hidden = isSet(hideOperational) && now.tone === "operational";
    };
    ask();
    if (!isSet(live)) return;
    const timer = setInterval(() => {
      if (!host.isConnected) clearInterval(timer); // the site took it away
      else if (document.visibilityState === "visible") ask();
    }, 60000);
  };

  if (document.body) start();
  else addEventListener("DOMContentLoaded", start);
})();
