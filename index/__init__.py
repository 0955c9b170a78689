"""Where is it: embedding, the stores, the generations on disk, search."""

from index.build import Progress, Report, build
from index.embedder import Embedder
from index.errors import EmbedderFault, IndexBusy, IndexDamaged, IndexMismatch, IndexMissing, IndexNotWritten
from index.files import Outcome, file_outcomes
from index.hit import Hit
from index.models import ModelStore
from index.named import embedder_named
from index.pinned import DEFAULTS, MODELS, Model, ModelError, model_named
from index.schema import linked_sqlite
from index.search import Index, current_generation, open_index

__all__ = [
    "DEFAULTS",
    "MODELS",
    "Embedder",
    "EmbedderFault",
    "Hit",
    "Index",
    "IndexBusy",
    "IndexDamaged",
    "IndexMismatch",
    "IndexMissing",
    "IndexNotWritten",
    "Model",
    "ModelError",
    "ModelStore",
    "Outcome",
    "Progress",
    "Report",
    "build",
    "current_generation",
    "embedder_named",
    "file_outcomes",
    "linked_sqlite",
    "model_named",
    "open_index",
]
