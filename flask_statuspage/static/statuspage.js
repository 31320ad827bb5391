/* See docs/pages-script.md */
(() => {
  "use strict";
  const once = Symbol.for("flask-statuspage");
  if (window[once]) return;
  window[once] = true;

  const EVERY = 60000;
  const MOST = 900000;

  const made = (name, kind, text = "") => {
    const node = document.createElement(name);
    if (kind) node.className = kind;
    node.textContent = text;
    return node;
  };
  const button = (kind, text, act) => {
    const node = made("button", kind, text);
    node.type = "button";
    node.addEventListener("click", act);
    return node;
  };
  const kept = (...value) => {
    const name = "statuspage-times";
    try {
      return value.length ? localStorage.setItem(name, value[0]) : localStorage.getItem(name);
    } catch { return null; }
  };
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  const mine = own.replace(/_/g, " ");
  const loaded = Date.now();
  const line = document.querySelector("[data-sp-zone]");
  const isStill = document.querySelector("[data-sp-still]");
  const clocks = (timeZone) => [0, 183].map((days) =>
    new Date(loaded + days * 864e5).toLocaleString("en", { timeZone })).join();
  let isElsewhere = false;
  try {
    isElsewhere = !!line && !isStill && clocks(own) !== clocks(line.dataset.spZone);
  } catch {}
  let isOwn = isElsewhere && kept() !== "page";
  const localeOf = (node) => {
    const { lang } = node.closest("[lang]") || document.documentElement;
    const language = (one) => one.split("-")[0];
    return navigator.languages.find((one) => language(one) === language(lang)) || lang || undefined;
  };
  const latin = { day: "numeric", month: "short", year: "numeric", numberingSystem: "latn" };
  const tell = (node) => {
    const text = node.title || node.textContent;
    const when = new Date(node.dateTime);
    if (isNaN(when)) return;
    node.title = isOwn ? text : "";
    if (!isOwn) return (node.textContent = text);
    node.textContent = new Intl.DateTimeFormat(localeOf(node), {
      ...latin, hour: "2-digit", minute: "2-digit", timeZoneName: "short",
    }).format(when);
  };
  const times = (root) => {
    if (!isElsewhere) return;
    root.querySelectorAll('.sp time[datetime*="T"]').forEach(tell);
    root.querySelectorAll("[data-sp-clock]").forEach((note) => {
      const { said = note.textContent, spClock } = note.dataset;
      note.dataset.said = said;
      note.textContent = isOwn ? spClock.replace("{zone}", mine) : said;
    });
  };

  const zones = (root) => {
    if (!isElsewhere) return;
    const { spZone: page, label, yours } = line.dataset;
    const buttons = [page, yours.replace("{zone}", mine)].map((word, place) =>
      button("sp-switch", word, () => { isOwn = !!place; kept(isOwn ? "own" : "page"); times(root); show(); }));
    const show = () => buttons.forEach((one, place) => one.setAttribute("aria-pressed", isOwn === !!place));
    line.replaceChildren(made("span", "", label), ...buttons);
    line.setAttribute("role", "group");
    line.setAttribute("aria-label", label);
    show();
  };
  const live = (root) => {
    const banner = root.querySelector("[data-sp-live]");
    if (!banner) return;
    const news = root.querySelector(".sp-news");
    const { changed, reload, stale } = Object.fromEntries(
      Object.entries(news.dataset).map(([name, word]) => [name.slice(2).toLowerCase(), word]));
    let wait = EVERY, asked = Date.now(), answered = asked, timer;
    const say = (text, ...more) => {
      if (news.dataset.said === text) return;
      news.dataset.said = text;
      const box = made("div", "sp-told", text);
      box.append(...more);
      news.replaceChildren(...(text ? [box] : []));
    };
    const show = (now) => {
      const sentence = banner.querySelector(".sp-sentence > bdi");
      const before = sentence.textContent;
      if (before !== now.sentence) {
        sentence.textContent = now.sentence;
        document.title = document.title.replace(before, () => now.sentence);
      }
      banner.dataset.tone = now.tone;
      banner.querySelector("path").setAttribute("d", now.icon);
      const time = made("time", "", now.checked.text);
      time.dateTime = now.checked.iso;
      if (isOwn) tell(time);
      const [head, tail] = now.checked.said.split("{time}");
      banner.querySelector(".sp-checked").replaceChildren(head, time, tail);
      if (now.version > +banner.dataset.spVersion) {
        say(changed, button("sp-button", reload, () => location.reload()));
      } else say(now.stale || "");
    };
    const found = () => fetch(banner.dataset.spLive, { cache: "no-cache", signal: AbortSignal.timeout?.(20000) })
      .then((answer) => (answer.ok ? answer.json() : null)).catch(() => null);
    const ask = async () => {
      asked = Date.now();
      const now = await found();
      wait = now ? EVERY : Math.min(2 * wait, MOST);
      plan();
      if (now) {
        answered = Date.now();
        show(now);
      } else if (Date.now() - answered >= 2 * EVERY) say(stale);
    };
    const plan = () => {
      clearTimeout(timer);
      if (document.visibilityState !== "visible") return;
      timer = setTimeout(ask, Math.max(0, asked + wait - Date.now()));
    };
    document.addEventListener("visibilitychange", plan);
    addEventListener("pageshow", plan);
    addEventListener("online", () => { asked = 0; plan(); });
    plan();
  };
  const part = (method, url, timeout, body) => new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    request.timeout = timeout;
    request.responseType = "document";
    request.setRequestHeader("Accept", "text/html");
    request.onload = () => {
      const found = request.response && request.response.querySelector(".sp-content .sp-narrow");
      return found && request.status < 500 ? resolve(document.importNode(found, true)) : reject();
    };
    request.onerror = request.ontimeout = reject;
    request.send(body);
  });
  const inDialog = async (link) => {
    const found = await part("GET", link.href, 5000).catch(() => null);
    if (!found) return (location.href = link.href);
    const { spDialog: close, spFailed: failed } = link.dataset;
    const dialog = made("dialog", "sp-dialog");
    const focus = (node) => {
      node.tabIndex = -1;
      node.focus();
    };
    const show = (content) => {
      dialog.replaceChildren(button("sp-button sp-close", close, () => dialog.close()), content);
      const head = content.querySelector(".sp-h1");
      const title = made("h2", "sp-h1", head.textContent);
      head.replaceWith(title);
      dialog.setAttribute("aria-label", title.textContent);
      if (!dialog.open) dialog.showModal();
      else focus(content.querySelector(".sp-problems, [role=status]") || title);
    };
    let isSending = false;
    dialog.addEventListener("close", () => dialog.remove());
    dialog.addEventListener("submit", async (event) => {
      const form = event.target;
      const url = new URL(form.getAttribute("action"), location);
      if (url.origin !== location.origin) return;
      event.preventDefault();
      if (isSending) return;
      isSending = true;
      const told = dialog.querySelector(".sp-failed");
      if (told) told.remove();
      const answer = await part("POST", url, 30000, new URLSearchParams(new FormData(form))).catch(() => null);
      isSending = false;
      if (answer) return dialog.isConnected && show(answer);
      const box = made("p", "sp-problems sp-failed", failed);
      box.setAttribute("role", "alert");
      form.before(box);
      focus(box);
    });
    link.closest(".sp").append(dialog);
    show(found);
  };
  const dialogs = (root) => root.querySelectorAll("[data-sp-dialog]").forEach((link) => {
    let isBusy = false;
    link.addEventListener("click", async (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      if (!window.HTMLDialogElement || link.origin !== location.origin) return;
      event.preventDefault();
      if (isBusy) return;
      isBusy = true;
      try {
        await inDialog(link);
      } finally { isBusy = false; }
    });
  });
  const problems = (root) => {
    const box = root.querySelector(".sp-problems[tabindex]");
    if (box) box.focus();
  };
  const copies = (root) => {
    if (!navigator.clipboard) return;
    const told = made("span", "sp-hidden");
    told.setAttribute("role", "status");
    root.querySelectorAll("[data-sp-copy]").forEach((node, number) => {
      const { spCopy: word, spCopied: done } = node.dataset;
      if (!number) node.closest(".sp").append(told);
      const act = button("sp-button sp-copy", word, async () => {
        try {
          await navigator.clipboard.writeText(node.href || node.textContent);
        } catch {
          if (node.href) node.textContent = node.href;
          return getSelection().selectAllChildren(node);
        }
        told.textContent = act.textContent = done;
        setTimeout(() => { told.textContent = ""; act.textContent = word; }, 3000);
      });
      node.after(act);
    });
  };
  const strips = (root) => {
    for (const strip of root.querySelectorAll(".sp-uptime")) {
      const { end, label, words } = strip.dataset;
      const days = strip.dataset.days.replace(/(\d+)(.)/g, (row, count, kind) => kind.repeat(count));
      const [operational, nothing, sentence] = words.split("|");
      const last = days.length - 1;
      const format = new Intl.DateTimeFormat(localeOf(strip), { ...latin, timeZone: "UTC" });
      const told = {};
      for (const day of strip.querySelectorAll("[data-day]")) {
        const date = day.firstElementChild.textContent;
        const [before, after] = sentence.replace("{date}", date).split("{text}");
        const text = day.textContent.replace(/\s+/g, " ").trim();
        told[day.dataset.day] = day.dataset.text || text.slice(before.length, text.length - after.length);
      }
      const track = strip.querySelector(".sp-strip");
      const slider = made("input", "sp-slider");
      const read = made("p", "sp-read");
      slider.type = "range";
      slider.max = slider.value = last;
      slider.setAttribute("aria-label", label);

      const say = () => {
        const day = +slider.value;
        const gaps = {
          date: format.format(Date.parse(end) - (last - day) * 864e5),
          text: told[day] || (days[day] === "-" ? nothing : operational),
        };
        const text = sentence.replace(/{(\w+)}/g, (gap, name) => gaps[name]);
        slider.setAttribute("aria-valuetext", text);
        read.textContent = text;
      };
      const show = () => {
        say();
        strip.dataset.read = "";
      };
      const hide = () => {
        delete strip.dataset.read;
      };
      const fit = () => {
        const drawn = track.firstElementChild.getBoundingClientRect().width;
        if (!drawn) return;
        const seen = Math.round((days.length * track.clientWidth) / drawn);
        slider.min = days.length - seen;
        slider.style.setProperty("--sp-days", seen);
        say();
      };

      slider.addEventListener("input", show);
      slider.addEventListener("focus", show);
      slider.addEventListener("blur", hide);
      slider.addEventListener("keydown", (event) => {
        if (event.key === "Escape") hide();
      });
      slider.addEventListener("pointermove", (event) => {
        if (event.pointerType !== "mouse" || event.buttons) return;
        const box = slider.getBoundingClientRect();
        let part = (event.clientX - box.left) / box.width;
        if (getComputedStyle(slider).direction === "rtl") part = 1 - part;
        slider.value = +slider.min + Math.floor(part * (days.length - slider.min));
        show();
      });
      strip.addEventListener("pointerleave", (event) => {
        if (event.pointerType !== "mouse" || document.activeElement === slider) return;
        hide();
        slider.value = last;
        say();
      });
      track.after(slider, read);
      new ResizeObserver(fit).observe(track);
      fit();
    }
  };

  for (const start of [times, zones, strips, live, dialogs, problems, copies]) {
    try {
      start(document);
    } catch (error) { console.error(error); }
  }
})();
