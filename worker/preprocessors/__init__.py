"""Pictures -> control maps. One module a method; `worker.preprocessors.preprocessing` is the door.

A map is white on black, H W 3 as the picture is, and what ControlNets of that type were trained on.
"""
