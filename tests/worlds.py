# SPDX-License-Identifier: GPL-2.0-only
"""Short scenarios that use most functions of the control core. They are replayed on the Cortex-M4,
where bits are compared and instructions counted, and on the PRU.
"""

WORLDS = {
    "start-shade-trip": """
        seed 11
        sun all 900
        skip enter-service
        at 1.5 shade 2 1/3 0.6
        at 2 sun 3 150
        at 3 grid v 0.45
        at 3.5 grid v 1.0
        run 5
    """,
    "second-maximum-and-another-module": """
        seed 15
        sun all 400
        skip enter-service
        at 3 shade all 1/3 0.6
        at 5 module 1 A79U235
        at 5.5 sun 2 100
        run 8
    """,
    "frequency-phase-harmonics": """
        seed 12
        sun all 600
        skip enter-service
        at 1 grid thd 3:3,5:2
        at 2 grid phase 40
        at 3 grid f 60.9
        run 5
    """,
    "category-3": """
        seed 12
        profile ieee1547-2018-cat3
        set es_ramp_s 1
        sun all 900
        skip enter-service
        at 2 grid v 0.3
        at 2.6 grid v 1
        at 4 grid v 1.08
        at 5 grid f 60.6
        at 6 grid phase 60
        run 8
    """,
    "regional-50-hz": """
        seed 17
        profile vde-ar-n-4105
        set es_ramp_s 1
        set es_trip_delay_s 1
        set es_random_s 1
        set ov_mean_v_pu 1.05
        sun all 1000
        skip enter-service
        at 0 grid f 50
        at 0 grid v 0.958
        at 2 set q_mode 3
        at 2 set const_q_pu 0.3
        at 3 grid f 50.6
        at 4 set q_mode 2
        at 4 set vv_vref_auto 1
        at 5 grid v 0.5
        at 5.2 grid v 0.958
        at 6 grid f 51.7
        at 6.5 grid f 50
        run 10
    """,
    "distorted-weak-hot": """
        seed 13
        grid impedance 0.5 0.0254
        temp 65
        sun all 1100
        skip enter-service
        at 1 grid thd 3:5,5:4,7:3
        at 3 set power_limit_w 300
        at 4 set power_limit_w 1200
        run 6
    """,
    "enter-service-and-ground-fault": """
        seed 13
        set es_delay_s 1
        sun all 700
        at 3 fault gfdi on
        at 3.5 fault gfdi off
        at 4 cmd clear gfdi
        run 6
    """,
    "faults": """
        seed 14
        sun all 800
        skip enter-service
        set es_delay_s 1
        at 2 fault gfdi on
        at 3 fault gfdi off
        at 4 cmd clear gfdi
        at 7 fault sensor vgrid noise
        at 8 fault sensor vgrid off
        at 9 host lost
        run 11
    """,
    "island": """
        seed 15
        sun all 800
        load rlc 0.95 1.0
        skip enter-service
        at 3 grid open
        run 5
    """,
    "sensors-and-island": """
        seed 16
        set es_delay_s 0
        sun all 800
        load rlc 1 1 0%
        at 0.4 sensor offset igrid 1
        at 2 fault sensor vinv noise
        at 2.1 fault sensor vinv off
        at 9.7 fault sensor igrid zero
        at 9.8 fault sensor igrid off
        at 17 grid open
        run 18
    """,
    "limits-and-commands": """
        seed 14
        sun all 1000
        skip enter-service
        at 1 set power_limit_w 400
        at 2 cmd shutdown
        at 2.5 cmd start
        at 3 set power_limit_w 1200
        at 4 host lost
        run 7
    """,
}
