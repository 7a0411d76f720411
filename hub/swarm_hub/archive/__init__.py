"""Old parts of the journal, in Parquet files of their own."""
