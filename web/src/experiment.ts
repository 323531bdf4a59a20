// The experiment page: connection check and who is waiting.
import { check } from "./site/check";
import { followLobby } from "./site/lobby";

const panel = document.getElementById("check");
const result = document.getElementById("check-result");
const again = document.getElementById("check-again") as HTMLButtonElement | null;
if (panel && result && again) {
  const run = async () => {
    again.disabled = true;
    result.textContent = "Checking …";
    const outcome = await check(panel.dataset["socket"] ?? "/check/socket");
    result.className = `check-${outcome.level}`;
    result.textContent = outcome.text;
    again.disabled = false;
  };
  again.addEventListener("click", () => void run());
  void run();
}

const line = document.getElementById("lobby");
if (line?.dataset["lobby"]) followLobby(line, line.dataset["lobby"], () => document.querySelector<HTMLInputElement>('#join [name="room"]')?.value ?? "");
