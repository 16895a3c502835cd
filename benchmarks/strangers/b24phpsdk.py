"""The integration suite of b24phpsdk against a sandbox, folder by folder.

    python benchmarks/strangers/b24phpsdk.py CHECKOUT MONEY [--folders Services/Task,Core] [--failures FILE]

CHECKOUT is a clone of github.com/bitrix24/b24phpsdk, MONEY one of github.com/moneyphp/money. PHP 8.2 and the libraries
come from Debian (php-cli php-curl php-mbstring php-xml php-intl php-bcmath phpunit php-symfony-{http-client,console,
event-dispatcher,filesystem,finder,dotenv,mime,uid,http-foundation} php-monolog php-nesbot-carbon
php-fig-http-message-util); what Debian has not is stubbed beside this file. The suite is copied, and the copy made fit
for PHPUnit 9 and Symfony 5: its attributes become annotations, UUIDs of version 7 those of version 4, addresses made
of the second are made unique: calls take less than one here. PHPUnit 9 would fail a test for a warning of PHP;
the suite's own version does not, and so that is switched off. The quirk `task_comments_in_chat` is off: the suite is of
portals whose tasks have comments.

A test that no webhook can pass on any portal is left out, with the reason: `LEFT_OUT`.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

from bx24frames.sandbox import Sandbox

HERE = Path(__file__).parent
FOLDERS = (
    "Core", "Services/CRM", "Services/Catalog", "Services/Department", "Services/Disk", "Services/Main",
    "Services/Task", "Services/User", "Services/Telephony",
)  # fmt: skip
LEFT_OUT = {
    r"^Core\\BatchTest::.*": "sends fields under the key `0[fields]`: no portal finds them",
    r"ContactTest::testCountByFilter$": "adds no contact and wants one more",
    r"ScopeTest::testScopeCodesIsActual$|MainTest::testGet(Available|Current)Scope$": (
        "this SDK knows no scope of REST 3.0 (humanresources, main) and throws at the first"
    ),
}
"""Patterns of ``Folder\\Class::test``, and why nobody passes."""
APPLICATION = re.compile(r"getServiceBuilder\(\s*true\s*\)|getCore\(\s*true\s*\)|ServiceBuilderFactory|createFromOAuth")
ATTRIBUTES = re.compile(r"((?:^[ \t]*#\[[^\n]*\][ \t]*\n)+)(?=[ \t]*(?:public|final|abstract)[^\n]*function )", re.M)

CONFIGURATION = """<phpunit bootstrap="tests/bootstrap.php" convertWarningsToExceptions="false"
 convertNoticesToExceptions="false" convertDeprecationsToExceptions="false"><testsuites/></phpunit>"""
AUTOLOAD = """<?php
error_reporting(E_ALL & ~E_DEPRECATED);
require_once '{stubs}';
foreach (glob('/usr/share/php/Symfony/Component/*/autoload.php') as $one) {{ require_once $one; }}
foreach (['Monolog', 'Carbon', 'Fig/Http/Message', 'Symfony/Contracts/HttpClient', 'Symfony/Contracts/EventDispatcher']
         as $one) {{
    if (is_file("/usr/share/php/$one/autoload.php")) {{ require_once "/usr/share/php/$one/autoload.php"; }}
}}
spl_autoload_register(static function (string $name): void {{
    $roots = ['Fig\\\\Http\\\\Message\\\\' => '/usr/share/php/Fig/HttpMessageUtil/',
              'Bitrix24\\\\SDK\\\\Tests\\\\' => '{root}/tests/',
              'Bitrix24\\\\SDK\\\\Tools\\\\' => '{root}/tools/',
              'Bitrix24\\\\SDK\\\\' => '{root}/src/', 'Money\\\\' => '{money}/src/', '' => '/usr/share/php/'];
    foreach ($roots as $prefix => $folder) {{
        $rest = substr($name, strlen($prefix));
        $file = $folder . str_replace('\\\\', '/', $rest) . '.php';
        if (str_starts_with($name, $prefix) && is_file($file)) {{ require_once $file; return; }}
    }}
}});
"""


def annotated(text: str) -> str:
    """Attributes of test methods as annotations of PHPUnit 9."""

    def turn(found: re.Match[str]) -> str:
        lines = found[1]
        provider = re.search(r"DataProvider\('(\w+)'\)", lines)
        doc = ([f"@dataProvider {provider[1]}"] if provider else []) + (["@test"] if "#[Test]" in lines else [])
        return "/**\n" + "".join(f" * {one}\n" for one in doc) + " */\n" if doc else ""

    return ATTRIBUTES.sub(turn, text)


def prepare(checkout: Path, money: Path, root: Path, url: str) -> None:
    """A copy of the suite that runs here."""
    for part in ("src", "tests", "tools"):
        if (checkout / part).is_dir():
            shutil.copytree(checkout / part, root / part, dirs_exist_ok=True)
    for file in (*root.glob("src/**/*.php"), *root.glob("tests/**/*.php")):
        text = file.read_text(encoding="utf-8")
        changed = text.replace("Uuid::v7(", "Uuid::v4(").replace(".test@test.com', time()", ".test@test.com', uniqid()")
        if file.name.endswith("Test.php"):
            changed = annotated(changed)
        if changed != text:
            file.write_text(changed, encoding="utf-8")
    (root / "vendor").mkdir(exist_ok=True)
    stubs = HERE / "b24phpsdk_stubs.php"
    (root / "vendor/autoload.php").write_text(AUTOLOAD.format(stubs=stubs.resolve(), root=root, money=money.resolve()))
    (root / "phpunit9.xml").write_text(CONFIGURATION)
    (root / "tests/.env").write_text(f"BITRIX24_WEBHOOK={url}\nINTEGRATION_TEST_LOG_LEVEL=600\nAPP_ENV=test\n")


def _body(source: str, test: str) -> str:
    """A test's own function and what is set up before it."""
    parts = re.split(r"(?=\bfunction )", source)
    named = (f"function {test}(", "function setUp(", "function setUpBeforeClass(")
    return "".join(part for part in parts if part.startswith(named))


def reason(name: str, source: str) -> str | None:
    """Why a test is left out; None if it counts."""
    test = re.match(r"\w+", name.partition("::")[2])
    if APPLICATION.search(_body(source, test[0]) if test else source):
        return "wants an application (OAuth)"
    return next((why for pattern, why in LEFT_OUT.items() if re.search(pattern, name)), None)


def run(root: Path, folder: str, timeout: int) -> list[tuple[str, str, str]]:
    """The tests of a folder: name, ``pass``, ``fail``, ``skip`` or ``out``, and what was said."""
    outcomes: list[tuple[str, str, str]] = []
    for file in sorted((root / "tests/Integration" / folder).rglob("*Test.php")):
        report = root / "junit.xml"
        report.unlink(missing_ok=True)
        command = ["phpunit", "--configuration", "phpunit9.xml", "--log-junit", str(report)]
        source = file.read_text(encoding="utf-8")
        try:
            done = subprocess.run(
                [*command, str(file)], cwd=root, capture_output=True, text=True, timeout=timeout, check=False
            )
            told = (done.stdout + done.stderr)[-2000:]
        except subprocess.TimeoutExpired:
            told = "took too long"
        cases = ET.parse(report).iter("testcase") if report.exists() and report.stat().st_size else ()
        names = 0
        for case in cases:
            names += 1
            place = f"{folder.removeprefix('Services/')}\\{file.stem}::{case.get('name')}"
            kind = next((one.tag for one in case if one.tag in {"error", "failure", "skipped"}), "")
            said = next(((one.text or "") for one in case if one.tag in {"error", "failure"}), "")
            why = reason(place, source)
            state = "out" if why else {"": "pass", "skipped": "skip"}.get(kind, "fail")
            outcomes.append((place, state, why or said.strip()))
        if not names:
            why = reason(f"{folder}\\{file.stem}::", source)
            outcomes.append((f"{folder}\\{file.stem}::(file)", "out" if why else "fail", why or told))
    return outcomes


def _box() -> Sandbox:
    return Sandbox(real_time=False, plan="unlimited", quirks={"task_comments_in_chat": False})


def main() -> int:
    """Run the folders and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("money", type=Path)
    parser.add_argument("--folders", help="comma-separated, as Services/Task")
    parser.add_argument("--timeout", type=int, default=120, help="seconds a test file may take")
    parser.add_argument("--failures", type=Path, help="a file for what the failed tests said")
    given = parser.parse_args()
    total: Counter[str] = Counter()
    said: list[str] = []
    with tempfile.TemporaryDirectory() as folder, _box() as sandbox:
        root = Path(folder)
        prepare(given.checkout, given.money, root, sandbox.url)
        for one in given.folders.split(",") if given.folders else FOLDERS:
            outcomes = run(root, one, given.timeout)
            counts = Counter(state for _, state, _ in outcomes)
            total += counts
            print(f"{one}: {counts['pass']} of {counts['pass'] + counts['fail']}, left out {counts['out']}", flush=True)
            said += [f"## {name}\n{text[:1500]}\n" for name, state, text in outcomes if state == "fail"]
    print(f"all: {total['pass']} of {total['pass'] + total['fail']}, left out {total['out']}, skipped {total['skip']}")
    if given.failures:
        given.failures.write_text("\n".join(said), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
