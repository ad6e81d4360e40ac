-- A product is a document: what is searched for or joined has a column beside it.

ALTER TABLE products ADD COLUMN is_tracked INTEGER NOT NULL DEFAULT 1 CHECK (is_tracked IN (0, 1));
ALTER TABLE products ADD COLUMN doc TEXT NOT NULL DEFAULT '';

UPDATE products SET
    is_tracked = stock_policy <> 'untracked',
    doc = json_object(
        'sku', sku, 'name', name, 'description', description, 'category', category,
        'price', json_object('minor', price_minor, 'currency', currency),
        'stock_policy', stock_policy, 'hidden', json(iif(hidden, 'true', 'false')), 'image', image
    );

ALTER TABLE products DROP COLUMN name;
ALTER TABLE products DROP COLUMN description;
ALTER TABLE products DROP COLUMN category;
ALTER TABLE products DROP COLUMN price_minor;
ALTER TABLE products DROP COLUMN currency;
ALTER TABLE products DROP COLUMN stock_policy;
ALTER TABLE products DROP COLUMN hidden;
ALTER TABLE products DROP COLUMN image;
