// For the headers that no other source here includes.
#include <hotplate/batched_meter.hpp>
#include <hotplate/coroutine.hpp>
#include <hotplate/hotplate.hpp>
#include <hotplate/json.hpp>
#include <hotplate/overflow_report.hpp>
#include <hotplate/send.hpp>
#include <hotplate/suspend.hpp>
