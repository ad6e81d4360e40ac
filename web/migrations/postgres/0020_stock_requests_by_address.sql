-- All requests of an address, told ones too: what its reader withdraws.
CREATE INDEX stock_requests_by_address ON stock_requests (email);
