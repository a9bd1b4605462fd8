"""The live page in a real browser: it shows what runs, at any width, and its kill button stops the runner."""

from pathlib import Path

import pytest

from live.api import Account
from live.clock import SystemClock
from live.serving import address, served
from live.view import View
from tests.test_live import world
from tests.test_live.cdp import tab
from tests.test_live.test_api import TOKEN
from tests.test_live.test_running import runner, running, until

pytestmark = pytest.mark.browser
TEXT = "document.getElementById('{}').textContent"


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return world.publish(tmp_path_factory.mktemp("bundles"))


def test_the_kill_button_stops_a_running_session_before_ones_eyes(bundles: Path, chromium: str, tmp_path: Path) -> None:
    one = runner(bundles, tmp_path, speed=300.0)
    view = View(one.journal, one.kill_file, one.limits, one.costs.capital_usd, one.now)
    shown = Account(view, bundles, (world.PUBLIC,), SystemClock().now, one.hub)
    with running(one), served(shown, TOKEN, rate=1e6, burst=1e6) as port, tab(chromium, tmp_path / "profile") as page:
        until(lambda: (one.now.document() or {}).get("fills"))
        page.open(address(port, TOKEN))
        page.until(f"{TEXT.format('state')} === 'Trading' && {TEXT.format('when')}.startsWith('session')")
        page.until("document.querySelectorAll('#stream li').length > 3")  # by web socket
        assert page.js("location.hash") == "" and TOKEN not in page.js("document.documentElement.outerHTML")
        assert page.js("document.querySelectorAll('#positions tbody tr').length") == 7
        page.js("document.getElementById('kill').click()")
        assert page.js("document.activeElement.id") == "no"  # who hits return by accident keeps trading
        page.js("document.getElementById('no').click()")
        assert page.js("document.getElementById('confirm').open") is False and not one.kill_file.exists()
        page.js("document.getElementById('kill').click()")
        page.js("document.getElementById('why').value = 'drill'; document.getElementById('yes').click()")
        page.until(f"{TEXT.format('killed')}.startsWith('The switch is thrown (halt)')")
        assert one.kill_file.read_text() == "halt API: drill\n"
        page.until(f"{TEXT.format('state')}.startsWith('Halted')")
        page.until(f"{TEXT.format('stream')}.includes('kill switch (halt)')")
        assert page.complaints == []


@pytest.mark.parametrize("width", [360, pytest.param(1280, marks=pytest.mark.slow)])
def test_no_width_needs_sideways_scrolling_and_a_wrong_token_is_said(
    bundles: Path, chromium: str, tmp_path: Path, width: int
) -> None:
    one = runner(bundles, tmp_path)
    one.run()
    view = View(one.journal, one.kill_file, one.limits, one.costs.capital_usd)
    shown = Account(view, bundles, (world.PUBLIC,), SystemClock().now)
    with served(shown, TOKEN, rate=1e6, burst=1e6) as port, \
            tab(chromium, tmp_path / "profile", width, 800, phone=width < 600) as page:
        page.open(address(port, "x" * 43))
        page.until(f"{TEXT.format('state')} === 'Locked'")
        assert page.js("document.getElementById('account').hidden")
        page.js(f"document.getElementById('token').value = '{TOKEN}'; document.querySelector('#enter button').click()")
        page.until(f"{TEXT.format('when')}.startsWith('after session')")
        assert page.js("document.documentElement.scrollWidth") <= width
        page.open(address(port, "").removesuffix("#") + "docs")
        page.until("document.querySelectorAll('section').length >= 9")
        assert page.js("document.documentElement.scrollWidth") <= width
