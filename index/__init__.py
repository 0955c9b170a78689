"""Where is it: embedding, the stores, the generations on disk, search."""

from index.build import Report, build, journal, leftovers, refresh, repair, tidy, verify
from index.embedder import Embedder
from index.endpoint import EndpointEmbedder
from index.english import Translator, translate
from index.errors import (
    EmbedderFault,
    IndexBusy,
    IndexDamaged,
    IndexMismatch,
    IndexMissing,
    IndexNotWritten,
    StoreFault,
)
from index.files import Outcome, file_outcomes
from index.filters import EVERYTHING, Filter, FilterError, filtered
from index.generations import indexed_folder
from index.hit import Grounds, Hit, sentence_scores
from index.models import ModelStore
from index.named import embedder_named
from index.opening import current_generation, open_index
from index.pinned import DEFAULTS, MODELS, Model, ModelError, model_named
from index.progress import Progress
from index.ranking import RANKING, Ranking
from index.schema import linked_sqlite
from index.search import Index
from index.stores import Store, store_named
from index.transient import index_of
from index.volumes import SentenceView

__all__ = [
    "DEFAULTS",
    "EVERYTHING",
    "MODELS",
    "RANKING",
    "Embedder",
    "EmbedderFault",
    "EndpointEmbedder",
    "Filter",
    "FilterError",
    "Grounds",
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
    "Ranking",
    "Report",
    "SentenceView",
    "Store",
    "StoreFault",
    "Translator",
    "build",
    "current_generation",
    "embedder_named",
    "file_outcomes",
    "filtered",
    "index_of",
    "indexed_folder",
    "journal",
    "leftovers",
    "linked_sqlite",
    "model_named",
    "open_index",
    "refresh",
    "repair",
    "sentence_scores",
    "store_named",
    "tidy",
    "translate",
    "verify",
]
