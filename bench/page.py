"""How soon the deployed page can be used, on this machine, and what it weighs.

    PYTHONPATH=layers/shared python -m bench.page [stack.json]

Of a running local stack (`make run`). Chromium is slowed to a quarter; the median of five visits,
the first of which meets a warm function. Figures depend on the machine; none decides a test.
"""

import json
import statistics
import sys
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from imagegen.site.files import read_files
from local.paths import ROOT, STACK_FILE
from tests.browser.stage import FLAGS, chromium_path

OUT: Final = ROOT / "bench" / "page.json"
STATIC: Final = ROOT / "functions" / "page" / "static"
VISITS: Final = 5
SLOWDOWN: Final = 4
GOALS: Final = {"generateFocusableMs": 200, "lcpMs": 800, "longestTaskMs": 50}
WATCH: Final = """
window.seen = {lcp: 0, task: 0, focusable: 0, shift: 0};
const watch = (type, take) => new PerformanceObserver((list) => list.getEntries().forEach(take))
  .observe({type, buffered: true});
watch("largest-contentful-paint", (entry) => { seen.lcp = entry.startTime; });
watch("longtask", (entry) => { seen.task = Math.max(seen.task, entry.duration); });
watch("layout-shift", (entry) => { if (!entry.hadRecentInput) seen.shift += entry.value; });
const look = () => {
  const image = document.querySelector("#messages generated-image");
  const button = image?.shadowRoot?.querySelector("button.main");
  if (button?.checkVisibility({visibilityProperty: true})) seen.focusable = performance.now();
  else requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""


def main() -> None:
    """Measure, print, and write ``bench/page.json``."""
    stack = json.loads(Path(sys.argv[1] if len(sys.argv) > 1 else STACK_FILE).read_text())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        measured = medians(browser, stack)
        browser.close()
    found = {"slowdown": SLOWDOWN, "visits": VISITS, **measured, "goals": GOALS, **weights()}
    OUT.write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found, indent=2))


def medians(browser: Browser, stack: dict[str, Any]) -> dict[str, float]:
    """Return the medians over the visits of a page that holds an open offer."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.add_init_script(WATCH)
    page = context.new_page()
    page.goto(f"{stack['pageUrl']}#token={stack['token']}")
    page.get_by_label("Message", exact=True).fill("Draw a red fox in fresh snow")
    page.get_by_role("button", name="Send").click()
    page.locator("#messages generated-image").wait_for(timeout=60_000)
    slowed = context.new_cdp_session(page)
    slowed.send("Emulation.setCPUThrottlingRate", {"rate": SLOWDOWN})
    visits = [visit(page, slowed) for _ in range(VISITS)]
    return {name: statistics.median(one[name] for one in visits) for name in visits[0]}


def visit(page: Page, slowed: CDPSession) -> dict[str, float]:
    """Return what one visit met, with nothing in the browser's cache."""
    slowed.send("Network.clearBrowserCache")
    page.reload(wait_until="networkidle")
    page.wait_for_function("() => seen.focusable > 0")
    seen = page.evaluate("seen")
    return {
        "generateFocusableMs": round(seen["focusable"]),
        "lcpMs": round(seen["lcp"]),
        "longestTaskMs": round(seen["task"]),
        "layoutShift": round(seen["shift"], 4),
    }


def weights() -> dict[str, dict[str, int]]:
    """Return the bytes that are sent, compressed, of what the page loads."""
    files = {name: len(file.zipped) for name, file in read_files(STATIC).items()}
    loaded = {name: size for name, size in files.items() if name not in ("/", "/aisdk.js")}
    kinds = (".js", ".css", ".html")
    sums = {
        kind[1:]: sum(size for name, size in loaded.items() if name.endswith(kind))
        for kind in kinds
    }
    return {"bytes": {**sums, "all": sum(sums.values())}}


if __name__ == "__main__":
    main()
