"use strict";
const EVERY_MS = 5000, FIRST = 6;
const $ = (id) => document.getElementById(id);

function make(tag, text, name) {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (name) node.className = name;
  return node;
}
function draw(tag, attributes, text) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  return node;
}
const usd = (value, digits = 0) => typeof value !== "number" ? "unknown"
  : (value < 0 ? "−" : "") + "$" + Math.abs(value).toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
const signed = (value) => (value > 0 ? "+" : "") + usd(value);
const percent = (value, digits = 1) => typeof value !== "number" ? "unknown"
  : (value < 0 ? "−" : "") + (100 * Math.abs(value)).toFixed(digits) + "\u00a0%";

// The token comes after the #, which no browser sends anywhere; it is kept for this tab only.
let token = sessionStorage.getItem("nightdesk-token") || "";
if (location.hash.length > 32) {
  token = location.hash.slice(1);
  sessionStorage.setItem("nightdesk-token", token);
  history.replaceState(null, "", location.pathname);
}

async function ask(path, options = {}) {
  const answer = await fetch(path, { ...options, headers: { authorization: "Bearer " + token, "content-type": "application/json" } });
  if (answer.status === 401) throw Object.assign(new Error("the token is not the right one"), { locked: true });
  if (!answer.ok) throw new Error((await answer.json()).detail || answer.statusText);
  return answer.json();
}

function showStatus(status) {
  const thrown = status.kill.thrown;
  const words = { ACTIVE: "Trading", REDUCING: "Only reducing positions", HALTED: "Halted: nothing is sent" };
  $("top").className = status.state === "HALTED" || thrown ? "bad" : status.state === "REDUCING" ? "warn" : "good";
  $("state").textContent = thrown && status.state === "ACTIVE" ? "The kill switch is thrown" : words[status.state];
  $("because").textContent = status.state === "ACTIVE" && !thrown ? "" : [status.state_reason,
    thrown ? "the kill file is there (" + status.kill.mode + ")" : ""].filter(Boolean).join("; ");
  $("when").className = status.open ? "on" : "";
  $("when").textContent = !status.session ? "no session yet" : status.open
    ? "session " + status.session + (status.as_of ? ", " + status.as_of.slice(11, 16) + " UTC" : "") : "after session " + status.session;
  const figures = [["Equity", usd(status.equity)], [status.open ? "Today so far, net" : "Last session, net", signed(status.pnl)],
    ["Below the peak", percent(status.drawdown, 2)], ["Orders, filled, refused", [status.orders, status.fills, status.refused].join(" · ")]];
  $("figures").replaceChildren(...figures.map(([name, value]) => {
    const pair = make("div");
    pair.append(make("dt", name), make("dd", value));
    return pair;
  }));
  $("events").replaceChildren(...(status.events.length ? status.events.map((event) => {
    const row = make("li");
    row.append(make("b", event.at.slice(0, 16).replace("T", " ")), make("span", event.text));
    return row;
  }) : [make("li", "Nothing out of the ordinary.", "whole")]));
  const own = status.process, ms = (value) => typeof value === "number" ? value.toFixed(1) + " ms" : "not measured";
  $("foot").textContent = "Journal: " + status.journal.rows + " rows, head " + status.journal.head.slice(0, 16) + ". Times are UTC." +
    (own ? ` Runner: ${own.memory_mb.toFixed(0)} MB, slowest hundredth of cycles ${ms(own.cycle_p99_ms)}` +
      (typeof own.feed_silent_s === "number" ? `, last bar ${own.feed_silent_s.toFixed(0)} s ago` : "") + "." : "");
}

/* Round values between low and high, 1, 2 or 5 times a power of ten apart: at least three. */
function round(low, high) {
  const power = 10 ** Math.floor(Math.log10((high - low) / 2));
  const step = power * ([5, 2, 1].find((m) => Math.floor(high / (power * m)) - Math.ceil(low / (power * m)) >= 2) || 0.5);
  const values = [];
  for (let at = Math.ceil(low / step); at * step <= high; at += 1) values.push(at * step);
  return values;
}

function showEquity(pnl, status) {
  const closes = pnl.sessions.length ? [pnl.sessions[0].start_equity, ...pnl.sessions.map((row) => row.equity)] : status.open ? [pnl.capital_usd] : [];
  const points = status.open ? [...closes, status.equity] : closes;
  if (!points.length) return $("equity").replaceChildren(make("p", "No session has been traded yet.", "soft"));
  const narrow = innerWidth < 640, width = narrow ? 420 : 900, height = narrow ? 200 : 230, left = 88, right = 14;
  let low = Math.min(...points), high = Math.max(...points);
  const least = Math.max(high * 0.002, 1);
  if (high - low < least) [low, high] = [(low + high - least) / 2, (low + high + least) / 2];
  const x = (i) => left + (width - left - right) * i / Math.max(points.length - 1, 1);
  const y = (v) => 12 + (height - 44) * (high - v) / (high - low);
  const chart = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label":
    `Equity from ${usd(points[0])} to ${usd(points.at(-1))} over ${pnl.sessions.length} closed session(s)` });
  for (const value of round(low, high)) {
    chart.append(draw("line", { class: "rule", x1: left, x2: width - right, y1: y(value), y2: y(value) }),
      draw("text", { x: left - 8, y: y(value) + 4, "text-anchor": "end" }, usd(value)));
  }
  const line = (name, from, to) => draw("polyline", { class: name, points: points.slice(from, to).map((v, i) => x(from + i) + "," + y(v)).join(" ") });
  chart.append(line("curve", 0, closes.length), ...(status.open ? [line("live", closes.length - 1, points.length)] : []),
    draw("circle", { class: "dot", cx: x(points.length - 1), cy: y(points.at(-1)), r: 5 }),
    draw("text", { x: left, y: height - 8 }, "before " + (pnl.sessions[0] || status).session),
    draw("text", { x: width - right, y: height - 8, "text-anchor": "end" }, status.open ? "now" : "close of " + pnl.sessions.at(-1).session));
  const plural = pnl.sessions.length === 1 ? "session" : "sessions";
  const words = make("p", pnl.sessions.length ? `${signed(pnl.total_pnl)} net of ${usd(pnl.total_costs)} costs in ${pnl.sessions.length} closed ${plural}.`
    : "The first session is running.", "soft");
  $("equity").replaceChildren(chart, words);
}

function showLimits(limits) {
  const say = (row, value) => row.unit === "share" ? percent(value) : typeof value === "number" ? String(value) : "unknown";
  $("limits").replaceChildren(...limits.map((row) => {
    const line = make("div", undefined, "limit"), track = make("div", undefined, "track"), bar = make("i");
    const used = typeof row.used === "number" ? row.used : 1;
    bar.style.width = 100 * Math.min(Math.max(used, 0), 1) + "%";
    bar.className = used >= 1 ? "bad" : used >= 0.75 ? "warn" : "";
    track.append(bar);
    line.append(make("span", row.limit), track, make("span", say(row, row.value) + " of " + say(row, row.threshold)));
    return line;
  }));
}

function showPositions(positions) {
  if (!positions.length) return $("positions").replaceChildren(make("p", "Nothing is held.", "soft"));
  const table = make("table"), head = make("tr"), most = Math.max(...positions.map((row) => Math.abs(row.weight)));
  for (const [name, kind] of [["Name"], ["Shares"], ["Price", "least"], ["Value"], ["Weight"], ["", "least"], ["Since the open"]])
    head.append(make("th", name, kind));
  table.append(make("thead"), make("tbody"));
  table.tHead.append(head);
  table.tBodies[0].append(...positions.map((row) => {
    const line = make("tr"), name = make("td"), bar = make("span", undefined, "weight"), fill = make("i"), cell = make("td", undefined, "least");
    name.append(make("b", row.symbol));
    const share = 50 * Math.abs(row.weight) / (most || 1);
    fill.className = row.weight < 0 ? "short" : "long";
    fill.style.width = share + "%";
    fill.style.left = (row.weight < 0 ? 50 - share : 50) + "%";
    bar.append(fill);
    cell.append(bar);
    line.append(name, make("td", row.shares.toLocaleString("en-US").replace("-", "−")), make("td", usd(row.price, 2), "least"), make("td", usd(row.value)),
      make("td", percent(row.weight)), cell, make("td", signed(row.session_pnl), row.session_pnl < 0 ? "down" : "up"));
    return line;
  }));
  $("positions").replaceChildren(table);
}

function showDecision([made]) {
  if (!made) return $("decided").textContent = "Nothing has been decided yet.";
  const regime = Object.entries(made.regime).sort((a, b) => b[1] - a[1]).slice(0, 2);
  $("decided").textContent = `For session ${made.session}, decided ${made.decided_at.slice(0, 16).replace("T", " ")} UTC by bundle ` +
    `${made.bundle.seq} (${made.bundle.digest.slice(0, 12)}); regime ` + regime.map(([name, share]) => `${name} ${percent(share, 0)}`).join(", ") +
    `. Explain it: nightdesk passport ${made.decision_id}`;
  const lines = made.names.map((row) => {
    const line = make("li");
    line.append(make("b", row.symbol), make("span", row.outcome), make("small", row.reason));
    return line;
  });
  $("decision").replaceChildren(...lines.slice(0, FIRST));
  $("others").replaceChildren(...lines.slice(FIRST));
  $("rest").hidden = lines.length <= FIRST;
  $("rest").firstElementChild.textContent = `The other ${lines.length - FIRST} names, by rank`;
}

const FACTS = {
  intent: (told) => `order sent: ${side(told.quantity)} ${shares(told.quantity)} ${told.symbol}`,
  refused: (told) => `refused by ${told.refused_by}: ${told.symbol}`,
  fill: (told) => `${told.quantity > 0 ? "bought" : "sold"} ${shares(told.quantity)} at ${usd(told.price, 2)}, cost ${usd(told.cost, 2)}`,
  cancel: (told) => `cancelled: ${told.reason}`,
  state: (told) => `${told.was} to ${told.state}: ${told.reason}`,
  hazard: (told) => told.kind.replaceAll("_", " "),
  hold: (told) => told.reason,
  close: (told) => `closed: ${signed(told.pnl)}, equity ${usd(told.equity)}`,
};
const side = (quantity) => quantity > 0 ? "buy" : "sell";
const shares = (quantity) => Math.abs(quantity).toLocaleString("en-US");
const symbols = {};
let happened = [], socket = null, heard = null, due = 0;

// Events only say that something is new; the documents say what. At most one look a second, however much happens.
function soon() {
  if (!due) due = setTimeout(() => { due = 0; look(); }, 1000);
}
function listen() {
  if (socket || !token) return;
  const line = socket = new WebSocket("ws://" + location.host + "/stream" + (heard === null ? "?last=200" : "?since=" + heard) + "&bars=false", ["nightdesk.v1", "nightdesk.token." + token]);
  line.onmessage = (message) => {
    const events = JSON.parse(message.data);
    heard = events.at(-1).n;
    for (const event of events) {
      if (event.kind === "kill") happened.unshift([new Date().toISOString(), `kill switch (${event.mode}) by ${event.by}: ${event.cancelled} orders cancelled`]);
      else if (FACTS[event.kind]) {
        if (event.told.symbol) symbols[event.told.instrument_id] = event.told.symbol;
        const name = !event.told.symbol && symbols[event.told.instrument_id];
        happened.unshift([event.at, (name ? name + ": " : "") + FACTS[event.kind](event.told)]);
      }
    }
    happened = happened.slice(0, 12);
    if (events.some((event) => event.kind !== "hello")) soon();
  };
  line.onclose = () => { socket = null; };
}
function list(place, rows) {
  $(place).replaceChildren(...rows.map(([at, text]) => {
    const row = make("li");
    row.append(make("b", at.slice(0, 16).replace("T", " ")), make("span", text));
    return row;
  }));
}

async function look() {
  try {
    if (!token) throw Object.assign(new Error("no token yet"), { locked: true });
    const [status, pnl, limits, positions, decisions, alerts] = await Promise.all(["status", "pnl", "limits", "positions", "decisions", "alerts"].map((path) => ask(path)));
    $("enter").hidden = true;
    $("account").hidden = false;
    showStatus(status); showEquity(pnl, status); showLimits(limits); showPositions(positions); showDecision(decisions);
    $("streaming").hidden = !happened.length;
    list("stream", happened);
    $("alerting").hidden = !alerts.length;
    list("alerts", alerts.slice(0, 8).map((alert) => [alert.at, alert.severity + ": " + alert.text]));
    listen();
  } catch (problem) {
    $("top").className = "warn";
    $("state").textContent = problem.locked ? "Locked" : "The account cannot be seen";
    $("because").textContent = problem.locked ? "" : "Trading goes on or not without this page. " + problem.message;
    if (problem.locked) { $("enter").hidden = false; $("account").hidden = true; }
  }
}

$("enter").addEventListener("submit", (event) => {
  event.preventDefault();
  token = $("token").value.trim();
  sessionStorage.setItem("nightdesk-token", token);
  look();
});
$("kill").addEventListener("click", () => $("confirm").showModal());
for (const choice of document.querySelectorAll("input[name=mode]"))
  choice.addEventListener("change", () => { $("yes").textContent = choice.value === "halt" ? "Halt the account" : "Flatten the account"; });
$("confirm").addEventListener("close", async () => {
  if ($("confirm").returnValue !== "yes") return;
  const mode = document.querySelector("input[name=mode]:checked").value;
  try {
    const answer = await ask("kill", { method: "POST", body: JSON.stringify({ mode, reason: $("why").value }) });
    $("killed").textContent = "The switch is thrown (" + answer.mode + ")." + (answer.journaled ? "" : " The runner hears of it within a second.");
  } catch (problem) {
    $("killed").textContent = "The switch could NOT be thrown: " + problem.message + ". Create the kill file by hand.";
  }
  look();
});
look();
setInterval(look, EVERY_MS);
