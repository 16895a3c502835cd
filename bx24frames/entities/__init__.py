"""What a deal is: names, ids, types, how a value is read and written."""
