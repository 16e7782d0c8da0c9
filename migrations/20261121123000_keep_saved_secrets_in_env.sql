-- Templates saved from chat were made when every secret was an environment variable: for them it stays so, although
-- files are the default now.
UPDATE templates
SET body = json_set(body, '$.secrets',
        (SELECT json_group_array(json_set(value, '$.as', 'env')) FROM json_each(templates.body, '$.secrets')))
WHERE json_type(body, '$.secrets') = 'array';
