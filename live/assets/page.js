"use strict";
const EVERY_MS = 5000;
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
  $("when").textContent = status.session ? "after session " + status.session : "no session yet";
  const figures = [["Equity", usd(status.equity)], ["Last session, net", signed(status.pnl)],
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
  }) : [make("li", "Nothing out of the ordinary.")]));
  $("foot").textContent = "Journal: " + status.journal.rows + " rows, head " + status.journal.head.slice(0, 16) + ". Times are UTC.";
}

function showEquity(pnl) {
  const points = pnl.sessions.length ? [pnl.sessions[0].start_equity, ...pnl.sessions.map((row) => row.equity)] : [];
  if (!points.length) return $("equity").replaceChildren(make("p", "No session has been traded yet.", "soft"));
  const narrow = innerWidth < 640, width = narrow ? 420 : 900, height = narrow ? 200 : 230, left = 88, right = 14;
  let low = Math.min(...points), high = Math.max(...points);
  const least = Math.max(high * 0.002, 1);
  if (high - low < least) [low, high] = [(low + high - least) / 2, (low + high + least) / 2];
  const x = (i) => left + (width - left - right) * i / Math.max(points.length - 1, 1);
  const y = (v) => 12 + (height - 44) * (high - v) / (high - low);
  const chart = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label":
    `Equity from ${usd(points[0])} to ${usd(points.at(-1))} over ${pnl.sessions.length} session(s)` });
  for (const value of [low, (low + high) / 2, high]) {
    chart.append(draw("line", { class: "rule", x1: left, x2: width - right, y1: y(value), y2: y(value) }),
      draw("text", { x: left - 8, y: y(value) + 4, "text-anchor": "end" }, usd(value)));
  }
  chart.append(draw("polyline", { class: "curve", points: points.map((v, i) => x(i) + "," + y(v)).join(" ") }),
    draw("circle", { class: "dot", cx: x(points.length - 1), cy: y(points.at(-1)), r: 5 }),
    draw("text", { x: left, y: height - 8 }, "before " + pnl.sessions[0].session),
    draw("text", { x: width - right, y: height - 8, "text-anchor": "end" }, "close of " + pnl.sessions.at(-1).session));
  const words = make("p", `${signed(pnl.total_pnl)} net of ${usd(pnl.total_costs)} costs in ${pnl.sessions.length} session(s).`, "soft");
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
  $("decision").replaceChildren(...made.names.map((row) => {
    const line = make("li");
    line.append(make("b", row.symbol), make("span", row.outcome), make("small", row.reason));
    return line;
  }));
}

async function look() {
  try {
    if (!token) throw Object.assign(new Error("no token yet"), { locked: true });
    const [status, pnl, limits, positions, decisions] = await Promise.all(["status", "pnl", "limits", "positions", "decisions"].map((path) => ask(path)));
    $("enter").hidden = true;
    $("account").hidden = false;
    showStatus(status); showEquity(pnl); showLimits(limits); showPositions(positions); showDecision(decisions);
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
    $("killed").textContent = "The switch is thrown (" + answer.mode + ")." + (answer.journaled ? "" : " The runner journals it at its next look, within five minutes.");
  } catch (problem) {
    $("killed").textContent = "The switch could NOT be thrown: " + problem.message + ". Create the kill file by hand.";
  }
  look();
});
look();
setInterval(look, EVERY_MS);
