-- wrk script: posts texts to the recommend route, or asks a route that does nothing, and writes one row of the report.
--
-- Settings come by the environment: BENCH_TEXT=new posts a text never seen before in every request, BENCH_TEXT=known
-- the same one always, BENCH_TEXT=empty asks GET /livez; BENCH_WORDS names the file of words; BENCH_NAME is the row's
-- first column; BENCH_CONNECTIONS what wrk was told; BENCH_OUT the file to append the row to (none for a warm-up).

local kind = os.getenv("BENCH_TEXT") or "new"
-- 14 to 20 words of one token each, and the two tokens that frame a text.
local shortest, longest = 14, 20

local words = {}
for word in io.lines(os.getenv("BENCH_WORDS")) do
    words[#words + 1] = word
end

local function body_of(list)
    return '{"text": "I like ' .. table.concat(list, " ") .. '"}'
end

local function random_body()
    local list = {}
    for i = 1, math.random(shortest, longest) do
        list[i] = words[math.random(#words)]
    end
    return body_of(list)
end

if kind == "empty" then
    wrk.method = "GET"
    wrk.path = "/livez"
else
    wrk.method = "POST"
    wrk.path = "/api/results/recommend/"
    wrk.headers["Content-Type"] = "application/json"
end

-- Every thread has an interpreter of its own, so each gets a seed of its own.
local threads = 0
function setup(thread)
    threads = threads + 1
    thread:set("seed", os.time() * 16 + threads)
end

-- The request that is sent again and again, unless texts are to be new.
local always
function init()
    math.randomseed(seed)
    if kind == "empty" then
        always = wrk.format()
    elseif kind == "known" then
        always = wrk.format(nil, nil, nil, body_of({ unpack(words, 1, longest) }))
    end
end

function request()
    return always or wrk.format(nil, nil, nil, random_body())
end

function done(summary, latency)
    local out = os.getenv("BENCH_OUT")
    if not out or out == "" then
        return
    end
    local errors = summary.errors
    local failed = errors.connect + errors.read + errors.write + errors.timeout + errors.status
    local file = assert(io.open(out, "a"))
    -- wrk counts in microseconds.
    file:write(
        string.format(
            '{"name": "%s", "kind": "%s", "client": "wrk", "connections": %d, "errors": %d, '
                .. '"requests_per_second": %.3f, "time": {"runs": %d, "p50_ms": %.4f, "p90_ms": %.4f, '
                .. '"p99_ms": %.4f, "max_ms": %.4f}}\n',
            os.getenv("BENCH_NAME"),
            kind,
            tonumber(os.getenv("BENCH_CONNECTIONS")),
            failed,
            summary.requests / (summary.duration / 1e6),
            summary.requests,
            latency:percentile(50) / 1000,
            latency:percentile(90) / 1000,
            latency:percentile(99) / 1000,
            latency.max / 1000
        )
    )
    file:close()
end
