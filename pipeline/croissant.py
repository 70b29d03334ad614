"""`croissant.json`: the dataset in the vocabulary of Croissant, which catalogues and loaders read.

Written by hand, because it is plain JSON; the terms are those of version 1.1 of the specification
(https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html). Paths are relative to the dataset folder, so
the description travels with it.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.dataset_info import DatasetInfo
from pipeline.index import REJECTS_SCHEMA, index_schema
from pipeline.layout import DatasetLayout
from pipeline.licences import LicenceUse, licence_address
from pipeline.schema import IMAGE, SHARD_SCHEMA
from pipeline.sound_shard import SOUND_SCHEMA
from weights.files import sha256_of

CONFORMS_TO = "http://mlcommons.org/croissant/1.1"
PARQUET = "application/x-parquet"
SHARDS = "shards"
"""Name of the set of all frame files."""
SOUNDS = "sound-files"
"""Name of the set of all files with sound."""
ABOUT_SOUNDS = (
    "The sound of the clips, cut to the time of their frames; `start_s` is the time of the first sample, counted from "
    "the first frame of the clip."
)
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The specification's own; readers compare it with theirs."""
DATA_TYPES = {
    "bool": "sc:Boolean",
    "double": "cr:Float64",
    "float": "cr:Float32",
    "int32": "cr:Int32",
    "int64": "cr:Int64",
    "string": "sc:Text",
}


def croissant_text(layout: DatasetLayout, info: DatasetInfo, licences: Sequence[LicenceUse]) -> str:
    """Return the description as JSON.

    Args:
        layout: Where the tables lie; they are hashed.
        info: What the dataset is.
        licences: The terms of its clips.
    """
    tables = {
        "clips": (layout.index, index_schema(audio=info.config.audio)),
        "rejects": (layout.rejects, REJECTS_SCHEMA),
    }
    sounds = {shard.name: shard.audio for shard in info.shards if shard.audio is not None}
    description = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": info.name,
        "alternateName": info.title,
        "description": info.description or info.title,
        "license": [licence_address(use.licence) or use.licence for use in licences],
        "keywords": ["talking head", "faces", "landmarks"],
        "distribution": [
            *(_file(f"data/{shard.name}.parquet", shard.size_bytes, shard.sha256) for shard in info.shards),
            _files(SHARDS, "One row per frame.", "data/*.parquet"),
            *(_file(f"audio/{name}.parquet", audio.size_bytes, audio.sha256) for name, audio in sounds.items()),
            *([_files(SOUNDS, "One row per clip with sound.", "audio/*.parquet")] if sounds else ()),
            *(_file(path.name, path.stat().st_size, sha256_of(path)) for path, _ in tables.values()),
        ],
        "recordSet": [
            _records_of_shards(
                "frames", "Face crops with landmarks; only those with `ok` have a face.", SHARDS, SHARD_SCHEMA
            ),
            *([_records_of_shards("sounds", ABOUT_SOUNDS, SOUNDS, SOUND_SCHEMA)] if sounds else ()),
            *(_records_of(name, path, schema) for name, (path, schema) in tables.items()),
        ],
    }
    return json.dumps(description, indent=1) + "\n"


def _file(path: str, size_bytes: int, sha256: str) -> dict[str, object]:
    return {
        "@type": "cr:FileObject",
        "@id": path,
        "name": Path(path).name,
        "contentUrl": path,
        "contentSize": f"{size_bytes} B",
        "encodingFormat": PARQUET,
        "sha256": sha256,
    }


def _files(name: str, description: str, includes: str) -> dict[str, object]:
    return {
        "@type": "cr:FileSet",
        "@id": name,
        "name": name,
        "description": description,
        "encodingFormat": PARQUET,
        "includes": includes,
    }


def _records_of_shards(name: str, description: str, files: str, schema: pa.Schema) -> dict[str, object]:
    source = {"fileSet": {"@id": files}}
    split = {
        "@type": "cr:Field",
        "@id": f"{name}/split",
        "name": "split",
        "dataType": ["sc:Text", "cr:Split"],
        "source": {
            **source,
            "extract": {"fileProperty": "fullpath"},
            "transform": {"regex": "(?:.*/)?(train|val|test)-[^/]*$"},
        },
    }
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": description,
        "field": [split, *(_field(name, field, source) for field in schema)],
    }


def _records_of(name: str, path: Path, schema: pa.Schema) -> dict[str, object]:
    source = {"fileObject": {"@id": path.name}}
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "key": {"@id": f"{name}/key"},
        "field": [_field(name, field, source) for field in schema],
    }


def _field(record_set: str, field: pa.Field, source: Mapping[str, object]) -> dict[str, object]:
    """Return one column; lists of fixed length are arrays of one axis."""
    described: dict[str, object] = {"@type": "cr:Field", "@id": f"{record_set}/{field.name}", "name": field.name}
    extract: dict[str, object] = {**source, "extract": {"column": field.name}}
    if field.type == IMAGE:  # sound is stored in the same way
        kind = "sc:AudioObject" if field.name == "audio" else "sc:ImageObject"
        return {**described, "dataType": kind, "source": {**extract, "transform": {"jsonPath": "bytes"}}}
    if pa.types.is_binary(field.type):
        return {**described, "dataType": "sc:ImageObject", "source": extract}
    if pa.types.is_fixed_size_list(field.type):
        kind = DATA_TYPES[str(field.type.value_type)]
        shape = {"isArray": True, "arrayShape": str(field.type.list_size)}
        return {**described, "dataType": kind, **shape, "source": extract}
    return {**described, "dataType": DATA_TYPES[str(field.type)], "source": extract}
