"""Assets: bytes on disk or in an object store, their keys, thumbnails, provenance and signed URLs."""
