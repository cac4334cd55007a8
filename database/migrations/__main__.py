"""Write the next migration from the difference between the tables in the code and the migrations so far.

Usage: python -m database.migrations "what changes"
"""

from __future__ import annotations

import sys
from tempfile import TemporaryDirectory

from alembic import command

from database.migrations import configuration, latest_revision, upgrade
from database.session import create_engine

if len(sys.argv) != 2:
    sys.exit(__doc__)
with TemporaryDirectory() as directory:
    engine = create_engine(f"sqlite:///{directory}/empty.sqlite")
    upgrade(engine)
    with engine.begin() as connection:
        number = f"{int(latest_revision() or '0') + 1:04}"
        command.revision(configuration(connection), sys.argv[1], autogenerate=True, rev_id=number)
    engine.dispose()
