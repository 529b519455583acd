// Counts the alerts of a log with DuckDB: the same work as `kairos --file LOG`, said in SQL.
//
//   node duckdb.mjs LOG THREADS [text|unix]     prints the number of alerts
//   node duckdb.mjs --version                   prints DuckDB's version
//
// `unix` is for logs whose timestamps are numbers (seconds). The package @duckdb/node-api is looked
// for in ../build/bench, where scripts/bench installs it.
//
// Two successive heartbeats of a service that are `gap` apart hold as many misses as there are
// k >= 1 with k * interval + tolerance < gap, that is (gap - tolerance - 1) // interval for a gap
// above the tolerance, and every third miss raises an alert. All in whole microseconds.
import { createRequire } from 'node:module';

const INTERVAL = 60_000_000;
const ALLOWED_MISSES = 3;
const TOLERANCE = 0;

const require = createRequire(new URL('../build/bench/', import.meta.url));
const { DuckDBInstance, version } = require('@duckdb/node-api');

function alertsQuery(log, timestamps) {
    const [type, microseconds] =
        timestamps === 'unix' ? ['BIGINT', 'stamp * 1000000'] : ['TIMESTAMP', 'epoch_us(stamp)'];
    const file = `'${log.replaceAll("'", "''")}'`;

    return `
        WITH heartbeats AS (
            SELECT service, ${microseconds} AS us
            FROM (SELECT service, "timestamp" AS stamp
                  FROM read_json(${file}, columns = {service: 'VARCHAR', "timestamp": '${type}'}))
        ), gaps AS (
            SELECT us - lag(us) OVER (PARTITION BY service ORDER BY us) AS gap FROM heartbeats
        )
        SELECT coalesce(
            sum(((gap - ${TOLERANCE} - 1) // ${INTERVAL}) // ${ALLOWED_MISSES}), 0)::BIGINT
        FROM gaps
        WHERE gap > ${TOLERANCE}`;
}

async function countAlerts(log, threads, timestamps) {
    const instance = await DuckDBInstance.create(':memory:', { threads });
    const connection = await instance.connect();
    const answer = await connection.runAndReadAll(alertsQuery(log, timestamps));

    return answer.getRows()[0][0];
}

const [log, threads, timestamps = 'text'] = process.argv.slice(2);

if (log === '--version') {
    console.log(version());
} else {
    console.log(String(await countAlerts(log, threads, timestamps)));
}
