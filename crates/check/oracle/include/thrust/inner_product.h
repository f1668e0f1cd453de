#pragma once
#include <port_oracle/thrust.hpp>
