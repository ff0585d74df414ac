// The door of logs: CloudWatch Logs.
#pragma once
