/* SPDX-License-Identifier: MIT */
#pragma once

/* One byte as it is. There is a console. */
void uart_put(char c);
