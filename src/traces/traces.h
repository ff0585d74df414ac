// The door of traces: X-Ray.
#pragma once
