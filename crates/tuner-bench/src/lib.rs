//! The load generator: arrivals, client, recorder, report.
