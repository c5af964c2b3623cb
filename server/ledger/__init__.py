"""The office's store of operations: frames are the truth, every other table can be made again from them."""
