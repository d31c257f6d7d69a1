"""Arrays larger than memory: chunks made one by one, for Dask, for a store, for a contraction.

Offers Chunked, InChunks, to_dask, to_zarr, contract_chunks.
May import picture and below.
"""
