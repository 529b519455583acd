-- For wrk: posts the bodies that a file holds, one a line, again and again.
--     wrk -s batches.lua http://127.0.0.1:8000/api/v1/heartbeats -- FILE

local requests = {}
local last = 0

function init(args)
    local headers = {["Content-Type"] = "application/json"}
    for body in io.lines(args[1]) do
        requests[#requests + 1] = wrk.format("POST", nil, headers, body)
    end
end

function request()
    last = last % #requests + 1
    return requests[last]
end
