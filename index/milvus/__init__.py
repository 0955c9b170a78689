"""A generation of the index in Milvus, for any number of readers that keep nothing themselves.

Who writes builds the index as ever, in a home of its own; `publish` then makes the store equal to it. Readers
(`open_generation`) answer from the store alone, by the same search and the same scores: `index.search.Index`
asks its rows, vectors and words, and these three are what stands here in another form.

    feud                        an alias, moved when all else is there: what a reader opens
    feud_generation_12          the manifest: recipe, languages, volumes, what is common to each language's
                                vectors, what is dead
    feud_<volume>_passages      a passage an entity, a partition a language: its vector, what filters look at,
    feud_<volume>_sentences     its neighbours, its words; of a sentence all vectors
    feud_<volume>_english       the sentences' vectors in English, to be searched
    feud_<volume>_words         for each word of a language how many rows hold it, and those that hold it most
    feud_<volume>_documents     documents with their spans, compressed

* A volume never changes. It is named by a hash of what is in it, so one that is there already isn't sent again;
  one that was sent half is sent anew. The last two generations stay, so a reader keeps its own to the end of
  its request.
* Reads are of Bounded consistency (Strong costs 200–400 ms), which may lag 5 s behind; the alias is therefore
  moved that long after the last write. What was written is counted before.
* Vectors that are only looked up lie beside their entity as text, since Milvus 2.3 takes one vector field.
* The lexical half is the same BM25 as on one machine, over the same words, on any version of the server: the
  store holds for each word the `KEPT` rows that it tells most of, which find; what is found is scored by its
  own words, exactly. Of a word that more rows hold, the others are only found by other words or by meaning.
  Milvus' own BM25 cuts texts in other ways and knows no numbers, so scores and reasons would differ.
* What filters look at are numbers: days, and hashes of names, so that no text of a reader becomes part of an
  expression.

pymilvus is an extra, `feud[milvus]`; nothing of it is imported before a store is asked for.
"""

from index.milvus.opening import current_generation, open_generation
from index.milvus.publish import publish
from index.milvus.server import Server

__all__ = ["Server", "current_generation", "open_generation", "publish"]
