"""Be kdg with the mutants that MUTANT names."""

from __future__ import annotations

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    from kdg.__main__ import main
    from tests.mutants import find

    for mutant in find(os.environ["MUTANT"]):
        mutant.apply()
    main()
