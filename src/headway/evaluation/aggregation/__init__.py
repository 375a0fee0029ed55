"""From the windows of a document to the document, one class a file."""
