// Checks a form while it is filled in: the server says what is wrong, the page says it at the fields that were touched.
const WAIT_MS = 300;

for (const form of document.querySelectorAll("form[data-check]")) {
  // What was refused before counts as touched.
  const touched = new Set(Array.from(form.querySelectorAll("[aria-invalid]"), field => field.name));
  const status = form.querySelector("[role=status]");
  let waiting, newest = 0;

  const place = name => {
    const field = form.elements[name];
    return (field instanceof RadioNodeList ? field[0] : field)?.closest(".fields > div, .wide");
  };

  const say = (name, kind, message) => {
    const at = place(name);
    if (!at) return;
    const id = `${name}-${kind}`;
    let said = document.getElementById(id);
    if (!message) return said?.remove();
    if (!said) {
      said = Object.assign(document.createElement("span"), { id, className: `field-${kind}` });
      at.append(said);
    }
    if (said.textContent !== message) said.textContent = message;
  };

  const show = ({ errors, warnings, says }) => {
    for (const [kind, found] of [["error", errors], ["warning", warnings]]) {
      const first = new Map(found.filter(one => one.field).reverse().map(one => [one.field, one.message]));
      for (const { name } of form.elements) {
        if (!name) continue;
        const message = kind === "warning" || touched.has(name) ? first.get(name) : undefined;
        say(name, kind, message);
        const field = form.elements[name];
        if (kind !== "error" || field instanceof RadioNodeList) continue;
        field.toggleAttribute("aria-invalid", Boolean(message));
        if (message) field.setAttribute("aria-invalid", "true");
        const others = (field.getAttribute("aria-describedby") ?? "").split(" ").filter(id => id && id !== `${name}-error`);
        const ids = message ? [...others, `${name}-error`] : others;
        ids.length ? field.setAttribute("aria-describedby", ids.join(" ")) : field.removeAttribute("aria-describedby");
      }
    }
    const open = errors.length;
    status.textContent = open === 0 ? says ?? "Nothing is wrong." : open === 1 ? `Still to mend: ${errors[0].message}` : `${open} things are still to be filled in or mended.`;
  };

  const check = async () => {
    const number = ++newest;
    try {
      const answer = await fetch(form.dataset.check, { method: "POST", body: new URLSearchParams(new FormData(form)), redirect: "error" });
      if (answer.ok && number === newest) show(await answer.json());
    } catch {
      // Without an answer the form is as good as without this script: it is checked when it is sent.
    }
  };

  form.addEventListener("input", ({ target }) => {
    touched.add(target.name);
    clearTimeout(waiting);
    waiting = setTimeout(check, WAIT_MS);
  });
}
