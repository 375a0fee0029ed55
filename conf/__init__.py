"""The configs, packaged as headway.conf."""
