import { Notice_Level, Phase_Name, type Phase, type ServerMessage, type Status, type Welcome } from "../gen/play/play_pb";
import { Controls, named } from "./controls";
import { byId, setText } from "./dom";
import { destination, endingOf } from "./ending";
import { rate } from "./health";
import { Hud, refusalLine, waitingLine } from "./hud";
import { Inputs } from "./inputs";
import { bindKeyboard } from "./keyboard";
import { KeyState } from "./keys";
import { Notices } from "./notices";
import { Overlay } from "./overlay";
import { Painter } from "./painter";
import { bindPanel } from "./panel";
import { preparing, sceneOf } from "./phases";
import { now, Pinger } from "./pinger";
import { micros, millis, protocolVersion } from "./protocol";
import { seatList } from "./seats";
import { Silence } from "./silence";
import { PlaySocket } from "./socket";
import { TextForm } from "./text";
import { Touch } from "./touch";
import { Waiting } from "./waiting";

const paintedEvery = 1000; // ms
const longPause = 4000; // ms
const loadShown = 700; // ms without the first picture of a round
const hintShown = 1800; // ms
const farewell = 1200; // ms that the last picture stays before the next page

// Addresses that the server writes into the page.
export interface Addresses {
  socket: string;
  thanks: string;
  home: string;
  share: string;
  lobby: string; // says who else waits
  roles: readonly string[]; // what each role is called, by its index
}

// Game is the play page: it turns what the server says into what is seen, and
// what the player does into what the server hears.
export class Game {
  private readonly picture = byId<HTMLCanvasElement>("picture");
  private readonly overlay = new Overlay(byId("overlay"), byId("overlay-card"));
  private readonly hud = new Hud();
  private readonly notices = new Notices(byId("notices"));
  private readonly socket: PlaySocket;
  private readonly pinger: Pinger;
  private readonly painter: Painter;
  private readonly text = new TextForm((text) => this.active && this.inputs.text(text));
  private readonly inputs: Inputs;
  private keys = new KeyState([]);
  private controls: Controls | undefined;
  private touch: Touch | undefined;
  private unbindKeys: (() => void) | undefined;
  private welcome: Welcome | undefined;
  private phase: Phase | undefined;
  private status: Status | undefined;
  private lastPainted = 0;
  private reported = 0; // the round in which the held keys were reported; 0: not yet
  private drawn = 0; // the round whose picture is on screen; 0: none
  private loading: number | undefined; // timer, while a round has no picture yet
  private ended = false;
  private readonly waiting: Waiting;
  private readonly silence = new Silence(() => performance.now());
  private slow = false;
  private said = ""; // the line about turns of the last tick
  private readonly title = document.title;

  constructor(
    page: HTMLElement,
    private readonly at: Addresses,
  ) {
    this.painter = new Painter(this.picture, byId("stage"), {
      painted: (episode, step) => this.painted(episode, step),
      failed: () => this.notices.show({ level: Notice_Level.WARNING, text: "A picture didn't arrive whole." }),
    });
    this.socket = new PlaySocket(at.socket, {
      opened: () => {
        this.silence.heard();
        this.pinger.start();
      },
      message: (m) => this.message(m),
      lost: (attempt) => this.lost(attempt),
      refused: (code, text) => this.refused(code, text),
    });
    this.pinger = new Pinger((kind) => {
      if (this.socket.send(kind)) this.silence.asked();
    }, () => this.measured());
    this.inputs = new Inputs(
      {
        send: (kind) => this.socket.send(kind),
        seen: () => this.painter.seen,
        now: () => micros(now()),
        later: (f, ms) => void window.setTimeout(f, ms),
      },
      () => this.keys.held,
    );
    this.waiting = new Waiting(at.lobby, (text) => this.overlay.note(text));
    bindPanel(page, this.picture, (key) => this.keys.match(key) !== undefined);
    window.setInterval(() => this.tick(), 200);
    window.addEventListener("offline", () => this.socket.lostNetwork());
    for (const event of ["online", "focus"]) window.addEventListener(event, () => this.socket.retryNow());
  }

  start(): void {
    this.socket.connect();
  }

  // active says whether what the player does counts now.
  private get active(): boolean {
    return this.phase?.name === Phase_Name.RUNNING && this.socket.connected && !this.ended;
  }

  private message(m: ServerMessage): void {
    this.silence.heard();
    switch (m.kind.case) {
      case "welcome": this.onWelcome(m.kind.value); break;
      case "phase": this.onPhase(m.kind.value); break;
      case "frame": this.painter.show(m.kind.value); break;
      case "status": this.onStatus(m.kind.value); break;
      case "notice": this.notices.show(m.kind.value); break;
      case "end": this.onEnd(m.kind.value.code, m.kind.value.text, m.kind.value.next); break;
      case "pong": this.pinger.pong(m.kind.value); break;
    }
    if (m.inputSeq > 0n) this.controls?.used(this.inputs.used(m.inputSeq));
  }

  private onWelcome(w: Welcome): void {
    if (w.protocol !== protocolVersion) return window.location.reload(); // a newer server has a newer page
    const again = this.welcome !== undefined;
    this.welcome = w;
    if (!again) this.takeSeat(w);
    this.painter.expect(w.width, w.height);
    this.inputs.welcome(w.nextSeq, w.maxInputsPerSecond);
    this.reported = 0;
    if (again) this.announce("Connected again.");
  }

  // takeSeat sets up the controls of the seat; once, for it never changes.
  private takeSeat(w: Welcome): void {
    this.keys = new KeyState(w.keys.map((k) => k.key));
    const changed = () => this.keysChanged();
    const list = byId("control-keys");
    const keys = named(w.keys, list);
    this.controls = new Controls(list, keys);
    const refused = (key: string) => this.keyRefused(key);
    this.touch = new Touch(byId("touch"), keys, this.keys, changed, refused);
    this.unbindKeys?.();
    this.unbindKeys = bindKeyboard(this.keys, () => this.active, changed, refused);
    this.text.offer(w.text, w.maxText);
    const hints = [
      w.severalKeys && w.keys.length > 1 ? "Several keys at once count." : "",
      w.turnBased ? "The game waits for you." : "",
    ];
    setText(byId("controls-hint"), hints.join(" ").trim());
    byId("controls").hidden = w.keys.length === 0 && !w.text;
    this.hud.progress(0, w.episodes);
  }

  private keysChanged(): void {
    const held = this.keys.held;
    this.controls?.held(held);
    this.touch?.held(held);
    if (this.active) this.inputs.keysChanged();
  }

  // keyRefused says shortly why a key that was pressed does nothing.
  private keyRefused(key: string): void {
    if (!this.active || !this.status) return;
    this.controls?.refuse(key);
    this.notices.show({ level: Notice_Level.INFO, text: refusalLine(this.status, this.welcome?.roleIndex ?? -1) }, hintShown);
  }

  // block closes the keys that the server names, by their index in the Welcome.
  private block(indexes: readonly number[]): void {
    const all = this.welcome?.keys ?? [];
    const closed = new Set(indexes.map((i) => all[i]?.key).filter((k): k is string => k !== undefined));
    this.controls?.block(closed);
    this.touch?.block(closed);
    if (this.keys.block(closed)) this.keysChanged();
  }

  private onPhase(p: Phase): void {
    const before = this.phase;
    if (before && before.episode !== p.episode) {
      this.status = undefined;
      this.block([]);
    }
    this.phase = p;
    this.waiting.follow(p.name === Phase_Name.WAITING && p.seats.length > 1);
    this.hud.progress(p.episode, this.welcome?.episodes ?? 0);
    byId("players").hidden = p.seats.length < 2;
    byId("side-seats").replaceChildren(...seatList(p.seats));
    this.showPhase();
    if (p.name !== Phase_Name.RUNNING) return;
    if (before?.name !== Phase_Name.RUNNING) this.focusPicture();
    if (p.reason !== "" && p.reason !== before?.reason) this.notices.show({ level: Notice_Level.INFO, text: p.reason });
  }

  private showPhase(): void {
    const p = this.phase;
    if (!p || this.ended) return;
    const scene = sceneOf(p, this.welcome?.episodes ?? 0, this.status?.episodeReturn);
    document.title = scene.title ? `${scene.title} · ${this.title}` : this.title;
    window.clearTimeout(this.loading);
    if (scene.kind === "none") {
      this.overlay.hide();
      if (this.drawn !== p.episode) this.loading = window.setTimeout(() => this.load(p), loadShown);
    } else {
      this.overlay.show(scene, {
        phase: p,
        ...(scene.kind === "lobby" && { share: this.at.share, instructions: instructions() }),
        ...(this.mayHurry(p) && { action: { label: "Go on now", done: "Waiting for the others", run: () => this.socket.send({ case: "ready", value: {} }) } }),
      });
    }
    this.tick();
    this.announce([scene.title, scene.text].filter(Boolean).join(". "), scene.urgent);
  }

  // load says that a round is on its way whose first picture takes its time.
  private load(p: Phase): void {
    if (p !== this.phase || !this.active || this.drawn === p.episode) return;
    this.overlay.show(preparing, { phase: p });
    this.announce(`${preparing.title}. ${preparing.text}`);
  }

  // mayHurry says whether a pause is long enough for a button that shortens it.
  private mayHurry(p: Phase): boolean {
    const pause = p.name === Phase_Name.READY || (p.name === Phase_Name.BETWEEN && p.episode < (this.welcome?.episodes ?? 0));
    return pause && (this.left(p.deadlineUs) ?? 0) > longPause;
  }

  private onStatus(s: Status): void {
    this.status = s;
    this.hud.steps(s.step);
    this.hud.total(s.episodeReturn);
    this.block(s.blockedKeys);
    this.tick();
  }

  private onEnd(code: string, text: string, next: string): void {
    this.stop();
    if (code === "replaced") return this.refusedWith(4001, text);
    const completed = code === "completed";
    const title = completed ? "That was it. Thank you!" : "The game has ended";
    this.overlay.show({ kind: completed ? "ended" : "aborted", title, text, until: "" });
    this.announce(`${title} ${text}`, true);
    window.setTimeout(() => window.location.assign(destination(next, window.location.href) ?? this.at.thanks), farewell);
  }

  private lost(attempt: number): void {
    this.pinger.stop();
    this.hud.connection(undefined, undefined);
    const text = attempt < 4 ? "Your seat is kept." : "Still trying. Check whether you are online; your seat is kept for a while.";
    this.overlay.show({ kind: "reconnecting", title: "Reconnecting …", text, until: "" });
    if (attempt === 1) this.announce("The connection was lost. Reconnecting.", true);
  }

  private refused(code: number, text: string): void {
    if (!this.ended) this.refusedWith(code, text);
  }

  private refusedWith(code: number, text: string): void {
    this.stop();
    const ending = endingOf(code, text);
    if (ending.go === "thanks") return window.location.assign(this.at.thanks);
    if (ending.go === "login") return window.location.assign(`/login?next=${encodeURIComponent(window.location.pathname)}`);
    const run = () => (ending.action === "home" ? window.location.assign(this.at.home) : window.location.reload());
    this.overlay.show({ kind: "refused", title: ending.title, text: ending.text, until: "" }, { action: { label: ending.label, run } });
    this.announce(`${ending.title}. ${ending.text}`, true);
  }

  private stop(): void {
    this.ended = true;
    this.waiting.follow(false);
    this.socket.close();
    this.pinger.stop();
    document.title = this.title;
  }

  private painted(episode: number, step: bigint): void {
    if (this.drawn !== episode) {
      this.drawn = episode;
      this.showPhase();
    }
    if (this.status === undefined || step > this.status.step || episode !== this.status.episode) this.hud.steps(step);
    if (this.active && this.reported !== episode) {
      // Every round begins with nothing held, for the server: say what is.
      this.reported = episode;
      if (this.keys.held.length > 0) this.inputs.keysChanged();
    }
    const at = now();
    if (at - this.lastPainted < paintedEvery) return;
    this.lastPainted = at;
    this.socket.send({ case: "painted", value: { step, episode, clientTimeUs: micros(at) } });
  }

  private measured(): void {
    const { clock } = this.pinger;
    this.slow = false;
    if (clock.typical !== undefined) this.hud.connection(rate(clock.typical, clock.spread), clock.rtt);
  }

  // tick brings what depends on the time up to date.
  private tick(): void {
    if (this.phase && this.socket.connected) this.overlay.tick(this.left(this.phase.deadlineUs));
    this.listen();
    if (!this.active || !this.status || !this.welcome) return this.hud.waiting("", undefined);
    const line = waitingLine(this.status, this.welcome.roleIndex, (i) => this.at.roles[i]);
    this.hud.waiting(line, this.left(this.status.inputDeadlineUs));
    // What stands for two ticks is read out; the same again is not. Turns that
    // change with every picture would be noise.
    if (line === this.said) this.announce(line);
    this.said = line;
  }

  // listen shows a slow connection while it lasts, and asks a server that has
  // gone quiet whether it is there.
  private listen(): void {
    if (!this.active) return;
    if (this.silence.worthAsking) this.pinger.ask();
    const slow = this.silence.tooLong;
    if (slow === this.slow) return;
    this.slow = slow;
    if (!slow) return this.measured();
    this.hud.slow();
    this.announce("The connection is slow.");
  }

  // left is the time to a deadline of the server, in ms; undefined for none.
  private left(deadline: bigint): number | undefined {
    return deadline > 0n ? millis(deadline) - (now() + this.pinger.clock.offset) : undefined;
  }

  private focusPicture(): void {
    const at = document.activeElement;
    if (at instanceof HTMLInputElement && !at.readOnly) return; // someone is typing
    if (document.querySelector("dialog[open]")) return;
    this.picture.focus({ preventScroll: true });
  }

  private announce(text: string, urgent = false): void {
    if (text !== "") setText(byId(urgent ? "alarm" : "announce"), text);
  }
}

// instructions is a copy of the experiment's own, for the waiting room on
// screens that don't show them beside the picture.
function instructions(): HTMLElement | undefined {
  const original = document.getElementById("instructions");
  if (!original) return undefined;
  const copy = original.cloneNode(true) as HTMLElement;
  copy.removeAttribute("id");
  copy.removeAttribute("aria-labelledby");
  for (const node of copy.querySelectorAll("[id]")) node.removeAttribute("id");
  copy.className = "";
  return copy;
}
