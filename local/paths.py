"""The paths of files and folders in this checkout."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
STATE: Final = ROOT / ".local"
STACK_FILE: Final = STATE / "stack.json"
TEMPLATE: Final = ROOT / "template.yaml"
MONITORING: Final = ROOT / "monitoring.json"
"""The template includes this file; `make dashboard` writes it."""
DOTENV: Final = ROOT / ".env"
BUILD: Final = ROOT / ".aws-sam" / "local"
"""The folder of the build for this machine."""
BUILT_FOR_AWS: Final = ROOT / ".aws-sam" / "build"

UV: Final = ROOT / ".tools" / "uv" / "bin" / "uv"
SAM: Final = ROOT / ".tools" / "sam" / "bin" / "sam"
