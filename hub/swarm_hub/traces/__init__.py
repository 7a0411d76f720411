"""Each task as one trace, for a collector of OpenTelemetry's. Nothing of it is imported where nobody collects."""
