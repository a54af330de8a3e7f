/* Debian's RocksDB 7.8 lacks this one symbol; the validator never creates a write-buffer manager. */
void rocksdb_write_buffer_manager_destroy(void *manager) { (void)manager; }
