"""Generation of the schemas, the typed models and the module catalogue from the YANG modules.

A development tool: it needs pyang, and what it writes into `tasuki_yang.generated` is committed. The
folders are listed, so a new module that extends one of the trees is picked up without a change here.
"""
