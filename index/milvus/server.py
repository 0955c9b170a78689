"""The server: what it is asked, again for a while where it doesn't answer, and its faults in our words."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

from corpus import FeudError
from index.errors import StoreFault

ALIAS = "feud"
PATIENCE = 15.0  # seconds that a fault may last: 6 where a query node dies, and its shards are moved
STALE = 5.0  # seconds that Bounded reads may lag behind (`common.gracefulTime`)
IDS = 1_000  # that one query asks for
_CALL = 10.0  # seconds of one call
_READ = 5.0  # of one that reads: where a node is lost it may hang for 20 s, and the next goes to another
_BYTES = 300_000  # of one insert: what queues take as one message is 1 MB and less
_ROWS = 256
_FINAL = {100, 1100}  # no such collection, no such parameter: asking again doesn't help

Result = TypeVar("Result")
Entity = Mapping[str, Any]


class Server:
    """A Milvus server, named `milvus://[user:password@]host[:port][/database][?shards=1&replicas=1]`.

    With `milvus+tls://` the connection is encrypted. Any number of threads may use it. Raises FeudError for an
    address that is none and without pymilvus, StoreFault where the server fails for `patience` seconds.
    """

    def __init__(self, address: str, patience: float = PATIENCE) -> None:
        try:
            from pymilvus import MilvusClient
        except ModuleNotFoundError as error:
            raise FeudError(
                "The package pymilvus is missing. Install it with: pip install 'feud[milvus]'"
            ) from error
        logging.getLogger("pymilvus").setLevel(logging.CRITICAL)  # it writes out each error before it raises it
        self._patience = patience
        try:
            place = urlsplit(address)
            port = place.port or 19530
            options = {name: int(values[-1]) for name, values in parse_qs(place.query).items()}
            self.shards, self.replicas = options.pop("shards", 1), options.pop("replicas", 1)
            if place.scheme not in ("milvus", "milvus+tls") or not place.hostname or options:
                raise ValueError(address)
        except ValueError as error:
            raise FeudError(
                "FEUD_STORE is no address of a store. Write it as in milvus://localhost:19530/database"
            ) from error
        self.name = f"{place.hostname}:{port}{place.path}"
        settings = {
            "uri": f"{'https' if place.scheme.endswith('tls') else 'http'}://{place.hostname}:{port}",
            "token": f"{unquote(place.username or '')}:{unquote(place.password or '')}"
            if place.username
            else "",
            "db_name": place.path.strip("/"),
            "timeout": _CALL,
        }
        self._client = self._patiently(lambda: MilvusClient(**settings))

    def version(self) -> str:
        """What the server says of its version."""
        return str(self._ask("get_server_version"))

    @property
    def stale(self) -> float:
        """Seconds that a read may lag behind: none where all is one process."""
        return 0.0 if "milvus_lite" in self.version() else STALE

    def names(self) -> list[str]:
        return [str(name) for name in self._ask("list_collections")]

    def create(
        self, name: str, fields: Mapping[str, str], dimension: int, partitions: Iterable[str] = ()
    ) -> None:
        """Make a collection anew: `id`, a `vector`, and `fields` that are "int" or "text"."""
        from pymilvus import DataType

        self.drop(name)
        schema = self._client.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dimension)
        for field, kind in fields.items():
            if kind == "int":
                schema.add_field(field, DataType.INT64)
            else:
                schema.add_field(field, DataType.VARCHAR, max_length=65_535)
        self._ask("create_collection", name, schema=schema, num_shards=self.shards, consistency_level="Bounded")
        for partition in partitions:
            self._ask("create_partition", name, partition)

    def insert(self, name: str, entities: Iterable[Entity], partition: str = "") -> int:
        """Put entities in, some at a time; return how many."""
        count, size = 0, 0
        batch: list[Entity] = []
        for entity in entities:
            own = size_of(entity)
            if batch and (size + own > _BYTES or len(batch) == _ROWS):
                self._ask("insert", name, batch, partition_name=partition)
                batch, size = [], 0
            batch.append(entity)
            size += own
            count += 1
        if batch:
            self._ask("insert", name, batch, partition_name=partition)
        return count

    def finish(self, name: str, count: int, exact: bool) -> None:
        """Make a collection searchable whose entities are all in; raises StoreFault if it holds not `count`.

        Its vectors are all compared if `exact`, else found by their neighbours (HNSW).
        """
        if not exact:  # of few the server needs no segments, and a flush takes it seconds
            self._ask("flush", name, timeout=300)
        kind: dict[str, Any] = (
            {"index_type": "FLAT"}
            if exact
            else {
                "index_type": "HNSW",
                "params": {"M": 16, "efConstruction": 200},
            }
        )
        index = self._client.prepare_index_params()
        index.add_index("vector", metric_type="IP", **kind)
        self._ask("create_index", name, index, timeout=3_600)
        self._ask("load_collection", name, replica_number=self.replicas, timeout=600)
        query = {"filter": "", "output_fields": ["count(*)"], "consistency_level": "Strong", "timeout": 60}
        found = self._ask("query", name, **query)[0]["count(*)"]
        if found != count:
            raise StoreFault(self.name, f"it holds {found} of {count} entities in {name}")

    def query(self, name: str, condition: str, fields: Sequence[str]) -> list[Entity]:
        """Return the entities that a condition admits."""
        return list(self._ask("query", name, filter=condition, output_fields=list(fields), **_BOUNDED))

    def get(self, name: str, ids: Sequence[int], fields: Sequence[str]) -> list[Entity]:
        """Return the entities with those ids, in any order; ids that there are none of are left out."""
        found: list[Entity] = []
        for start in range(0, len(ids), IDS):
            part = list(ids[start : start + IDS])
            found += self._ask("query", name, ids=part, output_fields=list(fields), **_BOUNDED)
        return found

    def search(
        self, name: str, vector: Sequence[float], k: int, partition: str, condition: str
    ) -> list[tuple[int, float]]:
        """Return the ids of at most `k` entities of a partition that are nearest, and their inner products."""
        [hits] = self._ask(
            "search",
            name,
            [vector],
            limit=k,
            partition_names=[partition],
            filter=condition,
            search_params={"params": {"ef": max(128, 2 * k)}},
            **_BOUNDED,
        )
        return [(hit["id"], hit["distance"]) for hit in hits]

    def point(self, alias: str, name: str) -> None:
        """Move an alias to a collection, or make it."""
        from pymilvus.exceptions import MilvusException

        try:
            self._client.alter_alias(name, alias)
        except MilvusException:
            self._ask("create_alias", name, alias)

    def drop(self, name: str) -> None:
        self._ask("drop_collection", name)

    def _ask(self, method: str, *args: Any, **options: Any) -> Any:
        return self._patiently(lambda: getattr(self._client, method)(*args, **options))

    def _patiently(self, call: Callable[[], Result]) -> Result:
        from grpc import RpcError
        from pymilvus.exceptions import MilvusException

        until, pause = time.monotonic() + self._patience, 0.1
        while True:
            try:
                return call()
            except (MilvusException, OSError, RpcError) as error:  # the last by its timeout
                code = getattr(error, "code", None)
                if code in _FINAL or time.monotonic() + pause > until:
                    reason = " ".join(str(getattr(error, "message", error)).split())[:200]
                    raise StoreFault(self.name, reason, missing=code == 100) from error
            time.sleep(pause)
            pause = min(1.0, 2 * pause)


def size_of(entity: Entity) -> int:
    """About how many bytes it takes when it is sent."""
    own = sum(len(value) if isinstance(value, str) else 8 for value in entity.values())
    return own + 4 * len(entity["vector"])


_BOUNDED: dict[str, Any] = {"consistency_level": "Bounded", "timeout": _READ}
