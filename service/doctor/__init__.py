"""What `mandant doctor` looks at, one idea a file. Each check says what it found and what to do about it.

lines = await examine(os.environ, SystemClock())
healthy = all(line.status != "wrong" for line in lines)
"""

from mandant.service.doctor.examination import examine
from mandant.service.doctor.line import Line

__all__ = ["Line", "examine"]
