"""Un carnet ne dit pas la version de Python : à peine ouvert, il serait sinon « modifié »."""

c = get_config()  # noqa: F821
c.IPKernelApp.exec_lines = ["del get_ipython().kernel.language_info['version']"]
