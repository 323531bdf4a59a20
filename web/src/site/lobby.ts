const every = 5000; // ms

// followLobby keeps the line about who is waiting up to date while somebody
// looks at the page. The server answers with the line itself, as text; when it
// doesn't, the line stays as it is.
export function followLobby(line: HTMLElement, path: string, room: () => string): void {
  const ask = async () => {
    if (document.visibilityState !== "visible") return;
    try {
      const answer = await fetch(`${path}?room=${encodeURIComponent(room())}`, { headers: { Accept: "text/html" } });
      if (!answer.ok) return;
      // The line is plain text: markup in it is never interpreted.
      const text = new DOMParser().parseFromString(await answer.text(), "text/html").body.textContent?.trim() ?? "";
      if (line.textContent?.trim() !== text) line.textContent = text;
    } catch {
      // the next turn tries again
    }
  };
  window.setInterval(() => void ask(), every);
}
